//! `mapping-rewired`: an update changed a mapping's filter, its destinations or its access to the source. Each can
//! divert or hide records without touching the function.

use crate::cloudtrail::{MappingCall, Verb};
use crate::mapping::{Baseline, Snapshot, Wiring};

/// Whether the call names wiring, or may.
pub(super) fn named(call: &MappingCall) -> bool {
    call.verb == Verb::Update && (!call.wiring.is_empty() || call.mentions.unreadable || call.withheld)
}

/// Whether that was a change. A key that the call carries with nothing in it (`{}`) may have cleared the aspect: it
/// counts where the mapping as read differs from the baseline.
pub(super) fn changed(call: &MappingCall, baseline: &Baseline, fresh: Option<&Snapshot>) -> bool {
    let (event, base) = (&call.wiring, &baseline.wiring);
    let fresh = fresh.map(|fresh| &fresh.wiring);
    let blind = call.withheld || call.mentions.unreadable;
    let seen = |mentioned: bool| Seen { mentioned: mentioned || call.withheld, blind };
    let filter = seen(call.mentions.filter);
    let destination = seen(call.mentions.destination);
    let access = seen(call.mentions.source_access);
    filter.changed(event, base, fresh, |wiring| wiring.filters.as_ref())
        || destination.changed(event, base, fresh, |wiring| wiring.on_failure.as_ref())
        || destination.changed(event, base, fresh, |wiring| wiring.on_success.as_ref())
        || access.changed(event, base, fresh, |wiring| wiring.source_access.as_ref())
}

/// How the call shows one aspect.
struct Seen {
    /// It carries the key.
    mentioned: bool,
    /// What it names may not be readable.
    blind: bool,
}

impl Seen {
    fn changed<T: PartialEq>(
        &self,
        event: &Wiring,
        baseline: &Wiring,
        fresh: Option<&Wiring>,
        aspect: impl Fn(&Wiring) -> Option<&T>,
    ) -> bool {
        let (event, baseline, fresh) = (aspect(event), aspect(baseline), fresh.and_then(&aspect));
        let both = fresh.zip(baseline);
        // An aspect that the baseline does not know has no accepted value to be restated.
        let by_event = event.is_some() && event != baseline;
        let by_reading = self.mentioned && both.is_some_and(|(fresh, baseline)| fresh != baseline);
        let untold = self.mentioned && self.blind && event.is_none() && both.is_none();
        by_event || by_reading || untold
    }
}
