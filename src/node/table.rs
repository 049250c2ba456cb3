//! All records, and the ways to find one. The ways are kept in step here and nowhere else.

use std::collections::{BTreeMap, HashMap};

use super::id::NodeId;
use super::record::Record;
use super::registration::Registration;

/// A machine and a port on it, or a machine and the name of a process on it.
type Place<T> = (String, T);

/// At most one record per id, per machine and port, and per process; whoever puts one in has taken out the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    records: BTreeMap<NodeId, Record>,
    by_port: HashMap<Place<u16>, NodeId>,
    by_instance: HashMap<Place<String>, NodeId>,
}

fn port(registration: &Registration) -> Option<Place<u16>> {
    Some((registration.machine.clone(), registration.port?))
}

fn instance(registration: &Registration) -> Option<Place<String>> {
    Some((registration.machine.clone(), registration.instance.clone()?))
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Record> {
        self.records.get(id)
    }

    /// To change what is no way to find it: not its registration.
    pub(super) fn get_mut(&mut self, id: &NodeId) -> Option<&mut Record> {
        self.records.get_mut(id)
    }

    /// By id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&NodeId, &Record)> {
        self.records.iter()
    }

    /// Records of other ids that can't stay beside this registration, and the field that they share with it.
    pub(super) fn rivals(&self, registration: &Registration) -> Vec<(NodeId, &'static str)> {
        let by_port = port(registration).and_then(|place| self.by_port.get(&place));
        let by_instance = instance(registration).and_then(|place| self.by_instance.get(&place));
        let mut rivals: Vec<_> = by_port.map(|id| (id.clone(), "port")).into_iter().collect();
        // One that shares both is one rival.
        rivals.extend(by_instance.filter(|id| Some(*id) != by_port).map(|id| (id.clone(), "instance")));
        rivals.retain(|(id, _)| *id != registration.id);
        rivals
    }

    /// Puts a record in the place of the one of the same id.
    pub(super) fn insert(&mut self, record: Record) {
        let id = record.registration.id.clone();
        self.remove(&id);
        debug_assert!(self.rivals(&record.registration).is_empty(), "rivals are taken out first");
        self.by_port.extend(port(&record.registration).map(|place| (place, id.clone())));
        self.by_instance.extend(instance(&record.registration).map(|place| (place, id.clone())));
        self.records.insert(id, record);
    }

    /// Takes out a record, if it is there.
    pub(super) fn remove(&mut self, id: &NodeId) {
        let Some(Record { registration, .. }) = self.records.remove(id) else { return };
        port(&registration).and_then(|place| self.by_port.remove(&place));
        instance(&registration).and_then(|place| self.by_instance.remove(&place));
    }
}
