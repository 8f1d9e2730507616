//! How a witness is asked (C2SP tlog-witness, `add-checkpoint`): the request's body, and the answers that hold more than a status.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::merkle::Hash;

/// The last part of the address that is asked.
pub const ADD_CHECKPOINT: &str = "add-checkpoint";

/// The type of an answer that names the size which the witness cosigned last.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// What a witness is asked: to cosign this checkpoint, because the log of `old` entries that it cosigned before is its beginning.
#[must_use]
pub fn request(old: u64, proof: &[Hash], checkpoint: &str) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof {
        body.push_str(&STANDARD.encode(hash));
        body.push('\n');
    }
    body.push('\n');
    body.push_str(checkpoint);
    body
}

/// What stands in a request, none of it checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The size that the witness is said to have cosigned last.
    pub old: u64,
    /// The proof that the log of that size is the checkpoint's beginning.
    pub proof: Vec<Hash>,
    /// The signed note.
    pub checkpoint: &'a str,
}

/// Reads a request, as a witness does; `None` when it is not one.
#[must_use]
pub fn read_request(body: &str) -> Option<Asked<'_>> {
    let (head, checkpoint) = body.split_once("\n\n")?;
    let mut lines = head.lines();
    let old = number(lines.next()?.strip_prefix("old ")?)?;
    let proof: Option<Vec<Hash>> = lines
        .map(|line| STANDARD.decode(line).ok()?.try_into().ok())
        .collect();
    Some(Asked {
        old,
        proof: proof.filter(|proof| proof.len() <= 63)?,
        checkpoint,
    })
}

/// The size in the body of an answer of [`SIZE_TYPE`].
#[must_use]
pub fn read_size(body: &str) -> Option<u64> {
    number(body.strip_suffix('\n')?)
}

/// Digits in the one spelling that there is: no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the specification (c2sp.org/tlog-witness), in its one proof's form.
    #[test]
    fn a_request_is_spelled_as_the_specification_says() {
        let proof: Hash = STANDARD
            .decode("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=")
            .unwrap()
            .try_into()
            .unwrap();
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} x AAAAAA==\n";
        let body = request(20_852_014, &[proof], note);
        assert_eq!(
            body,
            format!("old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\n{note}")
        );
        assert_eq!(request(0, &[], note), format!("old 0\n\n{note}"));
    }

    #[test]
    fn sizes_have_one_spelling() {
        assert_eq!(read_size("20852014\n"), Some(20_852_014));
        assert_eq!(read_size("0\n"), Some(0));
        for wrong in [
            "",
            "\n",
            "12",
            "012\n",
            "+1\n",
            "-1\n",
            "1 \n",
            "18446744073709551616\n",
        ] {
            assert_eq!(read_size(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_request_reads_back(old: u64, proof in proptest::collection::vec(any::<[u8; 32]>(), 0..64), note in "[a-z]+\n[0-9]+\n\n[a-z]+\n") {
            let body = request(old, &proof, &note);
            prop_assert_eq!(read_request(&body), Some(Asked { old, proof, checkpoint: &note }));
        }

        #[test]
        fn arbitrary_bodies_never_panic(body: String) {
            let _ = (read_request(&body), read_size(&body));
        }
    }
}
