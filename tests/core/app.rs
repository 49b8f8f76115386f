//! The app's side as JavaScript has it: calls by name with plain arguments, answers and events as plain objects.
//!
//! In arguments `{ "$date": "2002-09-10T23:08:25Z" }` is a `Date` and `{ "$bytes": [1, 2] }` a `Uint8Array`.

use crate::pair::Pair;
use serde_json::Value;
use stanzawire::engine::{Command, Event, Reply, Ticket};
use stanzawire::error::Error;
use stanzawire::given::{Arg, Args, Entries, Given, Look};
use stanzawire::im::{self, Named};

struct Json(Value);

impl Given for Json {
    fn look(&self, _: &str) -> Result<Look, Error> {
        Ok(match &self.0 {
            Value::Null => Look::Absent,
            Value::Bool(flag) => Look::Flag(*flag),
            Value::Number(number) => Look::Number(number.as_f64().unwrap()),
            Value::String(text) => Look::Text(text.clone()),
            Value::Array(list) => Look::List(list.iter().map(boxed).collect()),
            Value::Object(object) => match (object.get("$date"), object.get("$bytes")) {
                (Some(date), _) => Look::Date(date.as_str().unwrap().to_owned()),
                (_, Some(bytes)) => Look::Bytes(serde_json::from_value(bytes.clone()).unwrap()),
                _ => Look::Object,
            },
        })
    }

    fn field(&self, name: &str) -> Result<Box<dyn Given>, Error> {
        Ok(boxed(self.0.get(name).unwrap_or(&Value::Null)))
    }

    fn entries(&self, _: &str) -> Result<Entries, Error> {
        let object = self.0.as_object().unwrap();
        Ok(object
            .iter()
            .map(|(name, value)| (name.clone(), boxed(value)))
            .collect())
    }
}

fn boxed(value: &Value) -> Box<dyn Given> {
    Box::new(Json(value.clone()))
}

/// A value of the app's, which errors call `name`.
pub fn given(value: Value, name: &'static str) -> Arg {
    Arg::new(Box::new(Json(value)), name)
}

impl Pair {
    /// What an app calls by `client.roster.get()`: its name, and its arguments in an array.
    pub fn try_im(&mut self, name: &str, args: Value) -> Result<Ticket, Error> {
        let args = args.as_array().expect("arguments stand in an array").iter().map(boxed);
        let command = im::read(name, &mut Args(args.collect()))?;
        let command = Command::Im { command, timeout: None };
        Ok(self.call(command))
    }

    /// The same, where nothing is wrong with the arguments.
    pub fn im(&mut self, name: &str, args: Value) -> Ticket {
        self.try_im(name, args).expect("the arguments can be used")
    }

    /// An account or a room says that it gives messages ids, and takes out forged ones: `urn:xmpp:sid:0` (XEP-0359 §5).
    pub fn announce_ids(&mut self, by: &str) {
        let info = self.im("disco.info", serde_json::json!([by]));
        let asked = self.element();
        self.answer(
            &asked,
            "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:sid:0'/></query>",
        );
        self.value(info);
    }

    /// What a call resolved to. It must have.
    pub fn value(&self, ticket: Ticket) -> Value {
        match self.reply(ticket).expect("the call resolves") {
            Reply::Im(reply) => serde_json::to_value(&reply).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// What listeners of an event were handed since the last look at any, its `error` apart.
    pub fn told(&mut self, name: &str) -> Vec<Value> {
        let told = self.events.iter().filter_map(|event| match event {
            Event::Im(event) if event.name() == name => Some(serde_json::to_value(event).unwrap()),
            _ => None,
        });
        let told = told.collect();
        self.events.clear();
        told
    }
}
