//! `scan`: the mappings that exist now, judged, and what about them smells.
