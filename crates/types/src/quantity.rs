//! Quantities in words, the same in messages of the server and tables of the command line.

/// Bytes with a binary unit: `312 MiB`, `1.5 GiB`.
#[must_use]
pub fn bytes_in_words(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut size = count;
    let mut rest = 0;
    while size >= 1024 && unit + 1 < UNITS.len() {
        rest = size % 1024;
        size /= 1024;
        unit += 1;
    }
    if unit >= 3 {
        format!("{size}.{} {}", rest * 10 / 1024, UNITS[unit])
    } else {
        format!("{size} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_carry_binary_units() {
        assert_eq!(bytes_in_words(0), "0 B");
        assert_eq!(bytes_in_words(312 << 20), "312 MiB");
        assert_eq!(bytes_in_words(3 << 29), "1.5 GiB");
    }
}
