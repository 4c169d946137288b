//! One JSON document → the records in it, in one pass: a bare record, an envelope, `{"Records": […]}`, or lists of
//! these, nested as they like.

use super::json::{KeyOf, Slots};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// All keys that are looked at, of a record, of an envelope, and of a log file.
pub(super) const KEYS: [&str; 22] = [
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "awsRegion",
    "recipientAccountId",
    "requestID",
    "errorCode",
    "errorMessage",
    "userIdentity",
    "sourceIPAddress",
    "userAgent",
    "requestParameters",
    "responseElements",
    "sessionCredentialFromConsole",
    "source",
    "detail-type",
    "account",
    "region",
    "replay-name",
    "detail",
    "Records",
];
const RECORDS: usize = KEYS.len() - 1;

/// The values of [`KEYS`] in one object.
pub(super) type Fields<'de> = Slots<'de, { KEYS.len() }>;

/// One thing in a document.
pub(super) struct Item<'de> {
    /// Its number in the document, from 1; 0 where it is the document.
    pub(super) number: usize,
    /// An object's fields, or what stands there instead.
    pub(super) content: Result<Box<Fields<'de>>, &'static str>,
}

/// Everything in one document, in order.
#[derive(Default)]
pub(super) struct Document<'de> {
    pub(super) items: Vec<Item<'de>>,
    /// How many lists surround what is read now.
    depth: usize,
    count: usize,
}

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut document = Self::default();
        Shape(&mut document).deserialize(deserializer)?;
        Ok(document)
    }
}

impl<'de> Document<'de> {
    /// Whatever is complete in a text that breaks off or breaks down somewhere.
    pub(super) fn salvage(text: &'de str) -> Self {
        let mut document = Self::default();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        // That it fails is known, and told already.
        drop(Shape(&mut document).deserialize(&mut deserializer));
        document
    }

    fn push(&mut self, content: Result<Box<Fields<'de>>, &'static str>) {
        let number = if self.depth == 0 {
            0
        } else {
            self.count += 1;
            self.count
        };
        self.items.push(Item { number, content });
    }
}

struct Shape<'d, 'de>(&'d mut Document<'de>);

impl<'de> DeserializeSeed<'de> for Shape<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudTrail record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let document = self.0;
        let mut fields = Box::new(Fields::EMPTY);
        let mut records = false;
        let mut first = true;
        while let Some(key) = map.next_key_seed(KeyOf(&KEYS))? {
            match key {
                Some(RECORDS) => {
                    records = true;
                    document.depth += 1;
                    map.next_value_seed(Shape(document))?;
                    document.depth -= 1;
                }
                Some(slot) => fields.fill(&KEYS, slot, map.next_value::<&'de RawValue>()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            first = false;
        }
        let empty = fields.values.iter().all(Option::is_none);
        if !(records && empty) {
            document.push(if first { Err("an empty object") } else { Ok(fields) });
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let document = self.0;
        document.depth += 1;
        while list.next_element_seed(Shape(document))?.is_some() {}
        document.depth -= 1;
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.0.push(Err("a boolean"));
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.0.push(Err("a number"));
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.0.push(Err("a number"));
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.0.push(Err("a number"));
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.0.push(Err("a text"));
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push(Err("null"));
        Ok(())
    }
}
