//! A second plan shows no change outside of the committed list of the emulator's own differences.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::applied;

/// The attributes that the plan changes, of resources that it does not make or take away.
fn changed(change: &Value) -> BTreeSet<String> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (before, after) = (members(&change["before"]), members(&change["after"]));
    let unknown = members(&change["after_unknown"]);
    let names = before.keys().chain(after.keys()).chain(unknown.keys());
    let differs = |name: &&String| {
        unknown.get(*name) == Some(&Value::Bool(true)) || before.get(*name) != after.get(*name)
    };
    names.filter(differs).cloned().collect()
}

#[test]
fn a_second_plan_changes_nothing_but_what_the_emulator_answers_differently() {
    let list = include_str!("../../../../../infra/terraform/emulator/differences.json");
    let list: Vec<Value> = serde_json::from_str(list).expect("JSON");
    let plan = applied("second-plan.json");
    let mut unexpected = Vec::new();
    let mut met = BTreeSet::new();
    for resource in plan["resource_changes"].as_array().expect("a list") {
        let actions = &resource["change"]["actions"];
        if *actions == serde_json::json!(["no-op"]) || *actions == serde_json::json!(["read"]) {
            continue;
        }
        if *actions != serde_json::json!(["update"]) {
            unexpected.push(format!("{}: {actions}", resource["address"]));
            continue;
        }
        for attribute in changed(&resource["change"]) {
            let known = list.iter().position(|one| {
                one["type"] == resource["type"] && one["attribute"].as_str() == Some(attribute.as_str())
            });
            match known {
                Some(index) => {
                    met.insert(index);
                }
                None => unexpected.push(format!("{}: {attribute}", resource["address"])),
            }
        }
    }
    assert!(unexpected.is_empty(), "the second plan changes:\n{}", unexpected.join("\n"));
    for (index, one) in list.iter().enumerate() {
        assert!(one["reason"].as_str().is_some_and(|why| why.len() > 20), "{one}: why?");
        assert!(met.contains(&index), "the emulator no longer differs: take {one} off the list");
    }
}
