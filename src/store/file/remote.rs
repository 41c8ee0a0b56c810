//! File systems that are another machine's, where a lock may not hold for all.

/// Magic numbers of `statfs` (`linux/magic.h`), with the file systems' names.
const REMOTE: [(u32, &str); 6] = [
    (0x6573_5546, "FUSE"),
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9p"),
];

/// The file system's name, if it is known to be remote.
pub(super) fn name(magic: u32) -> Option<&'static str> {
    let found = REMOTE.iter().find(|(number, _)| *number == magic);
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_that_are_remote_are_known_and_local_ones_are_not() {
        assert_eq!(name(0x6969), Some("NFS"));
        assert_eq!(name(0xfe53_4d42), Some("SMB"));
        let (ext4, tmpfs, overlay, btrfs, xfs) =
            (0xef53, 0x0102_1994, 0x794c_7630, 0x9123_683e, 0x5846_5342);
        for local in [ext4, tmpfs, overlay, btrfs, xfs] {
            assert_eq!(name(local), None);
        }
    }
}
