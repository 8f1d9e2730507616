//! The access rules, shown and checked.

use serde_json::{Value, json};

use super::{Home, err, out};

#[tokio::test]
async fn the_access_rules_are_shown_and_a_file_of_them_is_checked() {
    let home = Home::new().await;
    let shown = out(&home.run(&["policy", "show"]).await);
    assert!(shown.contains("own") && shown.contains("People use what is theirs"));
    let listed: Value =
        serde_json::from_str(&out(&home.run(&["policy", "show", "--json"]).await)).unwrap();
    let items = listed["items"].as_array().unwrap();
    let privacy = items.iter().find(|item| item["id"] == "privacy").unwrap();
    assert_eq!(privacy["effect"], "forbid");
    let one = home.run(&["policy", "show", "privacy"]).await;
    assert!(out(&one).starts_with("@id(\"privacy\")"), "{}", out(&one));
    let none = home.run(&["policy", "show", "nothing"]).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(err(&none).contains("fractal policy show"), "{}", err(&none));

    let file = home.folder.path().join("ours.cedar");
    let file = file.to_str().unwrap();
    let check = ["policy", "check", file];
    std::fs::write(
        file,
        "@id(\"ours\")\nforbid (principal is User, action, resource is Settings)\nwhen { principal.rolle == \"admin\" };\n",
    )
    .unwrap();
    let wrong = home.run(&check).await;
    assert_eq!(wrong.status.code(), Some(1));
    let said = out(&wrong).replace(file, "FILE");
    insta::assert_snapshot!(said, @r#"
    FILE:3:8: error in "ours": attribute `rolle` on entity type `User` not found
      -> did you mean `role`?
    FILE: 1 error
    "#);
    let wrong = home.run(&[&check[..], &["--json"]].concat()).await;
    assert_eq!(wrong.status.code(), Some(1));
    let answer: Value = serde_json::from_str(&out(&wrong)).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["findings"][0]["line"]),
        (&json!(false), &json!(3))
    );
    std::fs::write(
        file,
        "@id(\"ours\") forbid (principal, action, resource is Settings);",
    )
    .unwrap();
    let sound = home.run(&check).await;
    assert!(sound.status.success());
    assert!(
        out(&sound).contains("1 access rule is sound"),
        "{}",
        out(&sound)
    );
    let missing = home.run(&["policy", "check", "/nowhere.cedar"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("/nowhere.cedar"));
}

#[tokio::test]
async fn a_reset_of_the_access_rules_says_that_there_was_nothing_to_remove() {
    let home = Home::new().await;
    let asked = home.run(&["policy", "reset"]).await;
    assert_eq!(asked.status.code(), Some(2));
    assert!(err(&asked).contains("--yes"), "{}", err(&asked));
    for words in [
        &["--dry-run", "policy", "reset", "--yes"][..],
        &["keys", "rotate", "--dry-run"],
        &["login", "--dry-run"],
    ] {
        let tried = home.run(words).await;
        assert_eq!(tried.status.code(), Some(2), "{words:?}");
        assert!(err(&tried).contains("cannot be tried"), "{}", err(&tried));
    }
    let reset = home.run(&["policy", "reset", "--yes"]).await;
    assert!(reset.status.success(), "{}", err(&reset));
    assert!(
        err(&reset).contains("no added ones to remove"),
        "{}",
        err(&reset)
    );
    let answer = out(&home.run(&["policy", "reset", "--yes", "--json"]).await);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer, json!({"reset": true, "removed": false}));
}
