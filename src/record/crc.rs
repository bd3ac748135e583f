//! Bytes to the masked CRC-32C that guards them in a frame.

use std::fmt;

/// A CRC-32C after TFRecord's mask, which keeps the checksum of a file that holds checksums from being degenerate:
/// `rotate_right(crc, 15) + 0xa282ead8`, modulo 2^32.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MaskedCrc(pub(crate) u32);

impl MaskedCrc {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::mask(crc32c::crc32c(bytes))
    }

    /// The checksum of a length's eight bytes. It depends on the length alone, so that of a small record is in a table.
    pub(crate) fn of_length(len: u64) -> Self {
        match usize::try_from(len)
            .ok()
            .and_then(|len| SMALL_LENGTHS.get(len))
        {
            Some(&crc) => crc,
            None => Self::of(&len.to_le_bytes()),
        }
    }

    pub(crate) const fn mask(crc: u32) -> Self {
        Self(crc.rotate_right(15).wrapping_add(0xa282_ead8))
    }
}

/// Up to here stands every event of one scalar with a tag of usual length.
static SMALL_LENGTHS: [MaskedCrc; 256] = {
    let mut table = [MaskedCrc(0); 256];
    let mut len = 0;
    while len < table.len() {
        table[len] = MaskedCrc::mask(bitwise((len as u64).to_le_bytes()));
        len += 1;
    }
    table
};

/// CRC-32C a bit at a time: reflected polynomial 0x82f63b78, all ones before and after.
const fn bitwise(bytes: [u8; 8]) -> u32 {
    let mut crc = !0u32;
    let mut i = 0;
    while i < bytes.len() {
        crc ^= bytes[i] as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        i += 1;
    }
    !crc
}

impl fmt::Debug for MaskedCrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_vectors_of_rfc_3720_after_the_mask() {
        // The RFC gives the CRC-32C of each; the mask was worked out apart.
        let rising: Vec<u8> = (0..32).collect();
        let cases: [(&str, &[u8], u32); 5] = [
            ("empty", b"", 0xa282_ead8),
            ("digits", b"123456789", 0xc78a_b0e5),
            ("zeros", &[0; 32], 0x0fd7_fffa),
            ("ones", &[0xff; 32], 0xf909_b029),
            ("0..32", &rising, 0x951f_7892),
        ];
        for (name, bytes, want) in cases {
            assert_eq!(MaskedCrc::of(bytes), MaskedCrc(want), "{name}");
        }
    }

    #[test]
    fn table_of_lengths_agrees_with_the_checksum_of_their_bytes() {
        // From stock files: the version record announces 0x18 bytes, a scalar `loss` 0x1a, its first tensor form 0x2e.
        for (len, want) in [
            (0x18, 0x224b_7fa3),
            (0x1a, 0x2dd8_9b12),
            (0x2e, 0xfa57_cbc5),
        ] {
            assert_eq!(MaskedCrc::of_length(len), MaskedCrc(want), "{len}");
        }
        for len in 0..1000u64 {
            assert_eq!(
                MaskedCrc::of_length(len),
                MaskedCrc::of(&len.to_le_bytes()),
                "{len}"
            );
        }
    }
}
