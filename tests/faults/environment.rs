//! The environment of a scenario. Its mounts are visible to the scenario only, and end with it. This needs root or user
//! namespaces.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    Plain,
    /// The signal that ends a process whose file grows beyond its limit is ignored.
    FileSizeLimit,
    /// File systems in memory can be mounted.
    OwnMounts,
    /// Disk images can be mounted and frozen.
    Disks,
    /// Each process has the same process ID, as in containers.
    OwnProcessIds,
}

impl Environment {
    /// Returns a command that runs this program in the environment, or `None` if that is not possible here.
    pub(crate) fn command(self) -> Option<Command> {
        let is_root = rustix::process::getuid().is_root();
        let prefix: &[&str] = match self {
            Self::Plain => &[],
            Self::FileSizeLimit => &["sh", "-c", r#"trap '' XFSZ; exec "$0" "$@""#],
            Self::OwnMounts if !is_root => &["unshare", "--user", "--map-root-user", "--mount"],
            Self::OwnMounts | Self::Disks => &["unshare", "--mount"],
            Self::OwnProcessIds if !is_root => {
                &["unshare", "--user", "--map-root-user", "--pid", "--fork"]
            }
            Self::OwnProcessIds => &["unshare", "--pid", "--fork"],
        };
        let program = env::current_exe().unwrap();
        self.is_possible(prefix)
            .then(|| command(prefix, program.to_str().unwrap()))
    }

    /// Returns why the environment is not possible here.
    pub(crate) fn missing(self) -> &'static str {
        match self {
            Self::Plain | Self::FileSizeLimit => "there is no shell",
            Self::OwnMounts => "no file system in memory can be mounted",
            Self::Disks => "no disk image can be mounted and frozen, which needs root",
            Self::OwnProcessIds => "no process ID namespace can be created",
        }
    }

    fn is_possible(self, prefix: &[&str]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let mut probe = match self {
            Self::Plain => return true,
            Self::FileSizeLimit | Self::OwnProcessIds => command(prefix, "true"),
            Self::OwnMounts => {
                let mut mount = command(prefix, "mount");
                mount.args(["-t", "tmpfs", "none"]).arg(dir.path());
                mount
            }
            Self::Disks => {
                let script = "cd \"$1\" && truncate -s 8M image && mkfs.ext4 -q image && mkdir disk \
                    && mount -o loop image disk && fsfreeze -f disk && fsfreeze -u disk && umount disk";
                let mut shell = command(prefix, "sh");
                shell.args(["-c", script, "sh"]).arg(dir.path());
                shell
            }
        };
        let quiet = probe.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }
}

fn command(prefix: &[&str], program: &str) -> Command {
    let mut words = prefix.iter().copied().chain([program]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    command
}

/// Runs a system program, which must succeed.
pub(crate) fn must(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program).args(arguments).arg(path).status();
    assert!(status.unwrap().success(), "{program} {arguments:?}");
}

/// Mounts a disk of 16 MiB on a new directory `disk` in `dir`.
pub(crate) fn mount_disk(dir: &Path) -> PathBuf {
    let (image, disk) = (dir.join("image"), dir.join("disk"));
    File::create(&image).unwrap().set_len(16 << 20).unwrap();
    fs::create_dir(&disk).unwrap();
    must("mkfs.ext4", &["-q"], &image);
    must("mount", &["-o", "loop", image.to_str().unwrap()], &disk);
    disk
}
