//! How sure a share is that was counted on few cases.

use serde::Serialize;

/// Of a normal distribution, 95 % lie within so many deviations of its middle.
const Z: f64 = 1.96;

/// A share of right ones, as counted and as it is at least.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Precision {
    /// Right ones.
    pub right: u32,
    /// All that are labelled.
    pub of: u32,
    /// The share, as counted.
    pub counted: f64,
    /// The lower end of the 95 % interval (Wilson's).
    pub at_least: f64,
}

impl Precision {
    /// `None` where nothing is labelled.
    pub fn of(right: u32, wrong: u32) -> Option<Self> {
        let of = right + wrong;
        let share = || f64::from(right) / f64::from(of);
        (of > 0).then(|| Self { right, of, counted: share(), at_least: at_least(right, of) })
    }
}

/// The lower end of Wilson's 95 % interval for a share of `right` in `of`.
pub fn at_least(right: u32, of: u32) -> f64 {
    if of == 0 {
        return 0.0;
    }
    let n = f64::from(of);
    let share = f64::from(right) / n;
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - spread) / (1.0 + Z * Z / n)).clamp(0.0, share)
}

/// How many more labels, all of them right, lift the bound to `enough`.
pub fn labels_missing(right: u32, wrong: u32, enough: f64) -> u32 {
    let lifts = |more: &u32| at_least(right + more, right + wrong + more) >= enough;
    // A share of all but one grows beyond any bound below 1, so that this ends.
    (0..100_000).find(lifts).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 0.0005
    }

    #[test]
    fn the_bounds_are_those_of_the_tables() {
        assert!(close(at_least(2, 2), 0.3424), "{}", at_least(2, 2));
        assert!(close(at_least(10, 10), 0.7225));
        assert!(close(at_least(81, 263), 0.2553));
        assert!(close(at_least(0, 10), 0.0));
        assert!(close(at_least(0, 0), 0.0));
    }

    #[test]
    fn it_is_told_how_many_more_it_takes() {
        assert_eq!(labels_missing(0, 0, 0.8), 16);
        assert_eq!(labels_missing(16, 0, 0.8), 0);
        assert_eq!(labels_missing(4, 0, 0.8), 12);
        assert!(labels_missing(4, 4, 0.8) > 30);
    }

    proptest! {
        #[test]
        fn the_bound_is_below_the_share_and_grows_with_right_ones(right in 0_u32..500, wrong in 0_u32..500) {
            let bound = at_least(right, right + wrong);
            prop_assert!((0.0..=1.0).contains(&bound));
            prop_assert!(Precision::of(right, wrong).is_none_or(|precision| bound <= precision.counted));
            prop_assert!(at_least(right + 1, right + wrong + 1) >= bound);
        }
    }
}
