//! The surroundings that a scenario needs, and whether they are to be had: mounts of its own, that nobody else sees and
//! that go with it, need root or what the kernel calls user namespaces.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// Anywhere.
    Plain,
    /// A signal that would end who writes beyond a limit is ignored.
    BeyondLimits,
    /// File systems in memory can be mounted.
    Mounts,
    /// File systems on disks, images in files, can be mounted, frozen and spoiled.
    Disks,
    /// Each process there is the first and only one, as in a container.
    Containers,
    /// Permissions count; the administrator's rights are put down.
    Permissions,
}

impl World {
    /// The start of a command that runs this program there, or `None` where it cannot be.
    pub(crate) fn enter(self) -> Option<Command> {
        let is_root = rustix::process::getuid().is_root();
        let prefix: &[&str] = match self {
            Self::Plain => &[],
            Self::BeyondLimits => &["sh", "-c", r#"trap '' XFSZ; exec "$0" "$@""#],
            Self::Mounts if !is_root => &["unshare", "--user", "--map-root-user", "--mount"],
            Self::Mounts | Self::Disks => &["unshare", "--mount"],
            Self::Containers if !is_root => {
                &["unshare", "--user", "--map-root-user", "--pid", "--fork"]
            }
            Self::Containers => &["unshare", "--pid", "--fork"],
            Self::Permissions if !is_root => &[],
            Self::Permissions => &["unshare", "--user"],
        };
        if !self.is_there(prefix) {
            return None;
        }
        let program = env::current_exe().unwrap();
        Some(command(prefix, program.to_str().unwrap()))
    }

    pub(crate) fn lacks(self) -> &'static str {
        match self {
            Self::Plain | Self::BeyondLimits => "there is no shell",
            Self::Mounts => "no file system in memory can be mounted here",
            Self::Containers => "no process can be the first of its own here",
            Self::Disks => "no image of a disk can be mounted and frozen here, which needs root",
            Self::Permissions => "the administrator's rights cannot be put down here",
        }
    }

    fn is_there(self, prefix: &[&str]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        match self {
            Self::Plain | Self::BeyondLimits => true,
            Self::Containers => succeeds(&mut command(prefix, "true")),
            Self::Mounts => {
                let mut mount = command(prefix, "mount");
                mount.args(["-t", "tmpfs", "none"]).arg(dir.path());
                succeeds(&mut mount)
            }
            Self::Disks => {
                let script = "cd \"$1\" && truncate -s 8M image && mkfs.ext4 -q image && mkdir disk \
                    && mount -o loop image disk && fsfreeze -f disk && fsfreeze -u disk && umount disk";
                let mut shell = command(prefix, "sh");
                shell.args(["-c", script, "sh"]).arg(dir.path());
                succeeds(&mut shell)
            }
            Self::Permissions => {
                fs::set_permissions(dir.path(), Permissions::from_mode(0o555)).unwrap();
                let file = dir.path().join("file");
                let mut touch = command(prefix, "touch");
                let is_there = succeeds(&mut command(prefix, "true")) && !succeeds(touch.arg(file));
                fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
                is_there
            }
        }
    }
}

fn command(prefix: &[&str], program: &str) -> Command {
    match prefix.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a program of the system, which must succeed.
pub(crate) fn must(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program).args(arguments).arg(path).status();
    assert!(status.unwrap().success(), "{program} {arguments:?}");
}

/// A disk of a few megabytes, mounted on a new directory `disk` in `dir`.
pub(crate) fn mount_disk(dir: &Path) -> std::path::PathBuf {
    let (image, disk) = (dir.join("image"), dir.join("disk"));
    fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    fs::create_dir(&disk).unwrap();
    must("mkfs.ext4", &["-q"], &image);
    must("mount", &["-o", "loop", image.to_str().unwrap()], &disk);
    disk
}
