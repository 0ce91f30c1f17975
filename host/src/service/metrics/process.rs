use std::fs;

/// What Linux tells of this process. Elsewhere there is none of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Process {
    pub resident_bytes: Option<u64>,
    pub open_files: Option<u64>,
    pub most_files: Option<u64>,
}

impl Process {
    /// How it is now.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        // One of them is the folder itself, which is read.
        let files = fs::read_dir("/proc/self/fd").map(|files| files.count().saturating_sub(1) as u64);
        Self {
            resident_bytes: number_after(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024),
            open_files: files.ok(),
            most_files: number_after(&limits, "Max open files"),
        }
    }
}

/// The first word of a line after these words, if it is a number.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(words))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_found() {
        assert_eq!(number_after("Name:\tx\nVmRSS:\t    2048 kB\n", "VmRSS:"), Some(2048));
        assert_eq!(number_after("Max open files            unlimited   files\n", "Max open files"), None);
        assert_eq!(number_after("", "VmRSS:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_it() {
        let now = Process::now();
        assert!(now.resident_bytes.unwrap() > 1 << 20, "{now:?}");
        assert!(now.open_files.unwrap() >= 3, "{now:?}");
    }
}
