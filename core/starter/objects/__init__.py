"""The objects of the catalogue, by kind: functions that build their parts, and the concepts they make."""
