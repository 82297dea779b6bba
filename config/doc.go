// Package config is the files as Go types: cordon.yaml, which is the service, and the policy directory.
//
//	flags, CORDON_* ──────────────┐
//	                              ▼
//	cordon.yaml ──▶ strict ──▶ merge ──▶ check ──▶ Service
//	                decoder                          │ policy_dir
//	                  ▲                              ▼
//	                  └── texts ◀── Included ◀── ReadPolicyDir ◀── policy/*.yaml, and what those include
//	                  │
//	                  ├──▶ ParsePolicy ──▶ what a file has wrong by itself ──┐
//	                  │         └──▶ Check ──▶ what they have wrong together ┴─▶ Faults: file:line:column, the line, ^
//	                  ▼
//	               PolicySet
//
//	AddException, ExtendException, RevokeException: text ──▶ the same text with one edit
//
//	Watcher ──▶ something changed: read everything again
//
// A file is read by one strict decoder (nodes of go.yaml.in/yaml, and struct tags): an unknown key, a key twice, a null, a
// number without a unit, a date that is not one are faults with a place, and all of them are found at once. viper, which
// knows no places, only decides between flag, environment, file and default. A [Service] or a [PolicySet] is made of values
// that are right one by one (netip, time.Time, domain.Name) and, without faults, right together.
//
// What is called something else today is read as before, see former.go. [Describe] and [Schema] say what the decoder takes, by the same
// tags, for pages, manuals and editors; what they say of a key is the comment of its field.
//
// ParsePolicy takes texts, not paths, because a reload mixes them: a file with a fault is replaced by its last good text. So
// a [Fault] says whether it belongs to one file or spans several.
//
// A main file is one directly in the policy directory. What it includes is an owned file, which lies in a subdirectory and may speak of
// one agency and those below it: delegate.go has the rules. Whoever can write an owned file is trusted with no more, so that what it
// says is a fault of it alone, or is no concern of others.
//
// Not its job: to read lists, to decide about a name, to know what a key does to the server. Package cmd, and nobody else,
// turns these types into the Config of each other package.
package config
