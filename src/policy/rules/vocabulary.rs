//! The embedded schema: what the rules may speak of.

use crate::policy::Problem;
use cedar_policy::ffi::DetailedError;
use cedar_policy::{Entities, EntityId, EntityTypeName, EntityUid, Schema, SchemaFragment};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::LazyLock;

/// The vocabulary as shipped in `policies/sluicegate.cedarschema`.
pub(in crate::policy) const SCHEMA: &str = include_str!("../../../policies/sluicegate.cedarschema");

/// The schema, with what is needed of it to build requests and to look for misspellings.
#[derive(Debug)]
pub(in crate::policy) struct Vocabulary {
    pub(in crate::policy) schema: Schema,
    /// The actions with their groups.
    actions: Entities,
    types: BTreeMap<&'static str, EntityTypeName>,
    /// The attributes of each record and entity type, each with its own type where that has attributes.
    attributes: BTreeMap<String, BTreeMap<String, String>>,
}

const TYPES: [&str; 13] = [
    "Action",
    "Actor",
    "Approver",
    "Mapping",
    "Account",
    "AccountGroup",
    "FunctionGroup",
    "Team",
    "PrincipalKind",
    "SourceKind",
    "Origin",
    "Trigger",
    "Change",
];

impl Vocabulary {
    /// The embedded schema, read once. An error would be one of this program, and is told like any other problem.
    pub(in crate::policy) fn embedded() -> Result<&'static Self, Problem> {
        static EMBEDDED: LazyLock<Result<Vocabulary, Problem>> = LazyLock::new(Vocabulary::read);
        EMBEDDED.as_ref().map_err(Clone::clone)
    }

    fn read() -> Result<Self, Problem> {
        let wrong = |error: String| Problem::unreadable("sluicegate.cedarschema (embedded)", error, "");
        let told = |error: &DetailedError| wrong(error.message.clone());
        let (fragment, _) =
            SchemaFragment::from_cedarschema_str(SCHEMA).map_err(|error| told(&DetailedError::from(&error)))?;
        let json = fragment.clone().to_json_value().map_err(|error| wrong(error.to_string()))?;
        let schema = Schema::from_schema_fragments([fragment]).map_err(|error| wrong(error.to_string()))?;
        let types = TYPES
            .into_iter()
            .map(|name| Ok((name, EntityTypeName::from_str(name).map_err(|error| wrong(error.to_string()))?)))
            .collect::<Result<_, Problem>>()?;
        Ok(Self {
            actions: schema.action_entities().map_err(|error| wrong(error.to_string()))?,
            schema,
            types,
            attributes: attributes(&json),
        })
    }

    /// The entity of that type and id.
    pub(in crate::policy) fn entity(&self, kind: &str, id: &str) -> Result<EntityUid, String> {
        let kind = self.types.get(kind).ok_or_else(|| format!("no entity type `{kind}` in the schema"))?;
        Ok(EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id)))
    }

    /// Whether the action is the other, or in that group.
    pub(super) fn is_within(&self, action: &EntityUid, group: &EntityUid) -> bool {
        action == group || self.actions.is_ancestor_of(group, action)
    }

    /// The names of all actions.
    pub(super) fn actions(&self) -> BTreeSet<String> {
        self.schema.actions().map(|action| action.id().unescaped().to_owned()).collect()
    }

    /// What can stand behind `path`, for example `["resource", "source"]`; `None` where the path leads nowhere known.
    pub(super) fn attributes_behind(&self, path: &[String]) -> Option<BTreeSet<&str>> {
        let (root, steps) = path.split_first()?;
        let mut types: Vec<&str> = match root.as_str() {
            "principal" => vec!["Actor", "Approver"],
            "resource" => vec!["Mapping"],
            "context" => vec!["Event", "Decision"],
            _ => return None,
        };
        for step in steps {
            types = types.iter().filter_map(|kind| self.attributes.get(*kind)?.get(step).map(String::as_str)).collect();
        }
        let attributes = types.iter().filter_map(|kind| self.attributes.get(*kind));
        Some(attributes.flat_map(BTreeMap::keys).map(String::as_str).collect())
    }

    /// Every attribute of every type.
    pub(super) fn all_attributes(&self) -> BTreeSet<&str> {
        let all = self.attributes.values().flat_map(BTreeMap::keys);
        all.map(String::as_str).collect()
    }
}

fn attributes(schema: &Value) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for namespace in schema.as_object().into_iter().flat_map(serde_json::Map::values) {
        let common = namespace["commonTypes"].as_object().into_iter().flatten();
        let entities = namespace["entityTypes"].as_object().into_iter().flatten();
        let shapes = common.chain(entities.map(|(name, entity)| (name, &entity["shape"])));
        for (name, shape) in shapes {
            let attributes = shape["attributes"].as_object().into_iter().flatten();
            let typed = attributes.map(|(attribute, kind)| {
                let kind = kind["name"].as_str().or_else(|| kind["type"].as_str()).unwrap_or("");
                (attribute.clone(), kind.to_owned())
            });
            found.insert(name.clone(), typed.collect());
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_along_a_path() {
        let vocabulary = Vocabulary::embedded().unwrap();
        let behind = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
            vocabulary.attributes_behind(&path)
        };
        assert!(behind(&["principal"]).unwrap().contains("sessionName"));
        assert!(behind(&["resource", "source"]).unwrap().contains("origin"));
        assert!(behind(&["context"]).unwrap().contains("sourceIp"));
        assert!(behind(&["resource", "nonsense"]).unwrap().is_empty());
        assert!(behind(&["x"]).is_none());
    }
}
