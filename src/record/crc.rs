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

    /// The checksum of the last `len` bytes of those that have the checksum `all`, where the bytes before them have the
    /// checksum `before`; both are of CRC-32C without the mask. In a few hundred steps, whatever the length.
    pub(super) fn of_last(len: usize, all: u32, before: u32) -> Self {
        // crc(ab) = crc(a) * x^(8 * length of b) + crc(b), where a sum is an exclusive or.
        Self::mask(all ^ product(power(len), before))
    }

    const fn mask(crc: u32) -> Self {
        Self(crc.rotate_right(15).wrapping_add(0xa282_ead8))
    }
}

/// The polynomial of CRC-32C, and of its remainders: the highest bit is the constant term.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// The product of two remainders.
const fn product(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut term = 1 << 31;
    while term > 0 {
        if a & term != 0 {
            product ^= b;
        }
        b = if b & 1 == 1 {
            b >> 1 ^ POLYNOMIAL
        } else {
            b >> 1
        };
        term >>= 1;
    }
    product
}

/// `x^(8 * len)`
fn power(len: usize) -> u32 {
    // A byte has 2^3 bits. The powers come again, for x^(2^31) is x.
    let powers = POWERS.iter().cycle().skip(3).zip(0..usize::BITS);
    powers
        .filter(|(_, bit)| len >> bit & 1 == 1)
        .fold(1 << 31, |power, (&factor, _)| product(factor, power))
}

/// `x^(2^i)`
static POWERS: [u32; 31] = {
    let mut powers = [1 << 30; 31];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = product(powers[i - 1], powers[i - 1]);
        i += 1;
    }
    powers
};

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

/// CRC-32C a bit at a time: all ones before and after.
const fn bitwise(bytes: [u8; 8]) -> u32 {
    let mut crc = !0u32;
    let mut i = 0;
    while i < bytes.len() {
        crc ^= bytes[i] as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ POLYNOMIAL
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
    fn the_last_bytes_have_the_checksum_that_they_have_alone() {
        let bytes: Vec<u8> = (0..5_000_000u32)
            .map(|i| (i.wrapping_mul(i) >> 7) as u8)
            .collect();
        let all = crc32c::crc32c(&bytes);
        for len in [0, 1, 2, 3, 255, 256, 1000, 65_536, 4_999_999, 5_000_000] {
            let (before, last) = bytes.split_at(bytes.len() - len);
            let got = MaskedCrc::of_last(len, all, crc32c::crc32c(before));
            assert_eq!(got, MaskedCrc::of(last), "{len}");
        }
        assert_eq!(product(POWERS[30], POWERS[30]), POWERS[0]);
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
