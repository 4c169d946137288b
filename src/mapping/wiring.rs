//! What an update can change about a mapping besides its function: filter, destinations, source access.

use serde::{Deserialize, Serialize};

/// One `SourceAccessConfiguration`: how the poller reaches and authenticates to the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceAccess {
    /// The API's `Type`, for example `BASIC_AUTH` or `VPC_SUBNET`.
    pub kind: String,
    /// The API's `URI`: a secret's ARN, a subnet, a virtual host.
    pub uri: String,
}

/// The wiring of a mapping. `None`: not named by the call, or not to be read; `Some` and empty: named as nothing.
/// Lists are sorted, so that equal wirings compare equal however they were spelt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Wiring {
    /// `FilterCriteria.Filters[].Pattern`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Vec<String>>,
    /// `DestinationConfig.OnFailure.Destination`; `""`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// `DestinationConfig.OnSuccess.Destination`; `""`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// `SourceAccessConfigurations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_access: Option<Vec<SourceAccess>>,
}

/// Which aspects of two wirings differ, of those that both know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differences {
    /// The filter.
    pub filter: bool,
    /// What happens to records after success or failure.
    pub destination: bool,
    /// How the source is reached.
    pub source_access: bool,
}

impl Differences {
    /// Whether there is any.
    pub fn any(self) -> bool {
        self.filter || self.destination || self.source_access
    }
}

impl Wiring {
    /// A wiring from lists in any order. `None`: not known.
    pub fn new(
        filters: Option<Vec<String>>,
        on_failure: Option<String>,
        on_success: Option<String>,
        source_access: Option<Vec<SourceAccess>>,
    ) -> Self {
        Self { filters: filters.map(sorted), on_failure, on_success, source_access: source_access.map(sorted) }
    }

    /// Whether nothing at all is known, or named.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Compares what both know; what either does not know does not differ.
    pub fn differs(&self, other: &Self) -> Differences {
        fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_some_and(|(one, other)| one != other)
        }
        Differences {
            filter: differ(self.filters.as_ref(), other.filters.as_ref()),
            destination: differ(self.on_failure.as_ref(), other.on_failure.as_ref())
                || differ(self.on_success.as_ref(), other.on_success.as_ref()),
            source_access: differ(self.source_access.as_ref(), other.source_access.as_ref()),
        }
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_lists_does_not_matter() {
        let wiring = |filters: [&str; 2]| Wiring::new(Some(filters.map(str::to_owned).to_vec()), None, None, None);
        assert!(!wiring(["a", "b"]).differs(&wiring(["b", "a"])).any());
        assert!(wiring(["a", "b"]).differs(&wiring(["a", "c"])).filter);
    }

    #[test]
    fn only_what_both_know_is_compared() {
        let failure = |to: &str| Wiring::new(None, Some(to.to_owned()), None, None);
        assert!(!failure("x").differs(&Wiring::default()).any());
        assert!(failure("x").differs(&failure("")).destination);
        let access = Wiring::new(None, None, None, Some(Vec::new()));
        assert!(!access.differs(&failure("x")).any());
        assert!(Wiring::default().is_empty() && !access.is_empty());
    }
}
