//! Variables of the environment say where a server is and who asks it: an answer is known by their
//! names, and not by their values.

use super::BASE;
use super::place;
use super::plan_with;
use super::try_load;
use std::collections::BTreeMap;
use vpipe::facts::Facts;

// What `asked` is known by at this `url`, where the environment has these.
fn asked_at(url: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let variables: BTreeMap<_, _> = variables.iter().map(owned).collect();
    let set = format!("backends.server.url={url:?}");
    let recipe = try_load(BASE, &[&set], variables)?;
    let plan = plan_with(recipe, &Facts::default(), &place)?;
    Ok(plan.digest(&"asked".into()).unwrap().to_string())
}

const KEYED: &str = "http://127.0.0.1:9/{{ vars.question }}?key={{ env.VPIPE_TOKEN }}";

#[test]
fn a_value_of_the_environment_is_no_part_of_what_is_asked() {
    let of = |value: &str| asked_at(KEYED, &[("VPIPE_TOKEN", value)]).unwrap();
    assert_eq!(of("one"), of("another"));
    // It need not even be there, in a run that asks nobody.
    assert_eq!(asked_at(KEYED, &[]).unwrap(), of("one"));
    let address = "{{ env.VPIPE_SERVER }}/see";
    let fixed = asked_at("http://127.0.0.1:9/see", &[]).unwrap();
    for server in ["http://127.0.0.1:9", "https://10.0.0.1:8/proxy"] {
        assert_eq!(
            asked_at(address, &[("VPIPE_SERVER", server)]).unwrap(),
            fixed
        );
    }
    assert_eq!(asked_at(address, &[]).unwrap(), fixed);
}

#[test]
fn what_stands_beside_a_variable_is_a_part_of_it() {
    let with = |url: &str| asked_at(url, &[("VPIPE_TOKEN", "one"), ("VPIPE_OTHER", "one")]);
    let base = with(KEYED).unwrap();
    for (from, to) in [
        ("vars.question", "vars.least"),
        ("VPIPE_TOKEN", "VPIPE_OTHER"),
        ("?key=", "?token="),
    ] {
        assert_ne!(with(&KEYED.replace(from, to)).unwrap(), base, "{to}");
    }
}

// What a backend is must be known.
#[test]
fn a_kind_is_not_done_without() {
    let recipe = BASE.replace("kind = \"runpod\"", "kind = \"{{ env.VPIPE_KIND }}\"");
    let wrong = try_load(&recipe, &[], BTreeMap::new()).unwrap_err();
    assert!(wrong.contains("kind"), "{wrong}");
    let runpod = [("VPIPE_KIND".to_owned(), "runpod".to_owned())];
    assert!(try_load(&recipe, &[], runpod.into()).is_ok());
}
