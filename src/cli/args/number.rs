//! Numbers on the command line, with a word on how they are written.

/// Reads `0.5`; with a comma it is told how.
pub(super) fn real(text: &str) -> Result<f64, String> {
    let point = text.replacen(',', ".", 1);
    match (text.parse(), point.parse::<f64>()) {
        (Ok(number), _) => Ok(number),
        (Err(_), Ok(number)) => Err(format!("write {number}")),
        (Err(_), Err(_)) => Err("write a number, such as 0.5".to_owned()),
    }
}

/// Reads `5`.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    let number = text.parse();
    number.map_err(|_| "write a whole number, such as 5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::real;
    use super::whole;

    #[test]
    fn what_is_no_number_is_told_how_one_is_written() {
        assert_eq!(real("0.5"), Ok(0.5));
        assert_eq!(real("0,5"), Err("write 0.5".to_owned()));
        assert!(real("fast").is_err_and(|said| said.contains("such as 0.5")));
        assert_eq!(whole("5"), Ok(5));
        for wrong in ["-1", "1.5", "many", ""] {
            assert!(
                whole(wrong).is_err_and(|said| said.contains("such as 5")),
                "{wrong}"
            );
        }
    }
}
