package audit

import "time"

// Entry is one line of the log. A field that does not belong to its kind is left out. No entry has an address of a client, a name that
// was asked ([WithoutAddresses]), or a person but approvers as they are written in the policy files.
type Entry struct {
	Sequence uint64    `json:"seq"`  // from 1, without gaps, over all files
	Time     time.Time `json:"time"` // UTC
	Previous string    `json:"prev"` // SHA-256, in hexadecimal digits, of the line before without its newline; of the first line, 64 zeros
	Kind     Kind      `json:"event"`

	Hash    string   `json:"hash,omitempty"`    // of the policy in force: [Start], [Snapshot]
	Version string   `json:"version,omitempty"` // of the program: [Start]
	Files   []File   `json:"files,omitempty"`   // policy files: [Snapshot]
	Lists   []List   `json:"lists,omitempty"`   // [Snapshot]
	Effect  []string `json:"effect,omitempty"`  // what the change changes, a sentence each: [Snapshot]

	// The state after the change, so that nobody has to read what is before a [Snapshot] to know it.
	Policies   []Term `json:"policies,omitempty"`
	Exceptions []Term `json:"exceptions,omitempty"`
	Holds      []Hold `json:"holds,omitempty"` // what is not in force as it is written

	What   string `json:"what,omitempty"`   // the file, "list NAME" or route ("." for all names without one of their own) that it is about
	Reason string `json:"reason,omitempty"` // of [Rejected], [Held]; of an exception

	Agency     string    `json:"agency,omitempty"`
	Policy     string    `json:"policy,omitempty"` // of an exception: those that it names, divided by ", "
	Exception  string    `json:"exception,omitempty"`
	Class      string    `json:"class,omitempty"`
	ApprovedBy string    `json:"approved_by,omitempty"` // also who revoked
	Ticket     string    `json:"ticket,omitempty"`
	Reference  string    `json:"legal_reference,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Until      time.Time `json:"until,omitzero"`

	First   uint64 `json:"first,omitempty"`   // [Removed]: the sequence number of the first entry that stays; Hash is its Previous
	Missing uint64 `json:"missing,omitempty"` // [Gap]: how many entries could not be written, between From and Until

	Omitted int `json:"omitted,omitempty"` // how many elements of the slices here were left out, because the entry was too long

	Since  time.Time `json:"since,omitzero"` // [Counted], [ExceptionUsed]: the beginning of the time that they are of; it ends at Time
	Counts []Count   `json:"counts,omitempty"`
}

// Day is a moment of the day that e, an [ExceptionUsed], is of: Since, or Time for who wrote no Since, or one after Time.
func (e *Entry) Day() time.Time {
	if e.Since.IsZero() || e.Since.After(e.Time) {
		return e.Time
	}
	return e.Since
}

// Kind is what an entry is about. A reader meets kinds that it does not know, of later versions.
type Kind string

// The kinds of entries.
const (
	Start    Kind = "start" // a Snapshot follows. An outage or a process without an end before it has ended by now; what is held is still
	Stop     Kind = "stop"
	Snapshot Kind = "snapshot" // another policy took effect; what it began and ended is in the entries before
	Rejected Kind = "rejected" // a change of a file that has a fault, What: the last good version stays in force
	Held     Kind = "held"     // a list that is not believed, What
	Released Kind = "released" // a file or list that is no longer held, What
	Accepted Kind = "accepted" // a list that was held and that somebody believes, What

	ExceptionAdded     Kind = "exception-added"
	ExceptionExtended  Kind = "exception-extended"  // it has a later end, Until; ApprovedBy is empty if the files name nobody for that
	ExceptionShortened Kind = "exception-shortened" // it has an earlier end, Until, and was not revoked
	ExceptionRevoked   Kind = "exception-revoked"   // from Until on; zero: it is no longer in the files
	ExceptionBegan     Kind = "exception-began"
	ExceptionLapsed    Kind = "exception-lapsed"
	ExceptionUsed      Kind = "exception-used" // for the first time on the day of Since, in UTC; told with the counts, not when it was used
	PolicyBegan        Kind = "policy-began"
	PolicyEnded        Kind = "policy-ended" // at Until; zero: it is no longer in the files

	UpstreamsLost Kind = "upstreams-lost" // no upstream of the route What answers, since From
	UpstreamsBack Kind = "upstreams-back" // one answers again, since Until
	Counted       Kind = "counts"         // what was refused, observed and excepted since Since; once an hour, and at the stop

	IncidentBegan Kind = "incident-began" // queries are logged with addresses of clients, until Until at most; What says which
	IncidentEnded Kind = "incident-ended" // that is over; it began at From

	Removed Kind = "retention" // the file What was older than it is kept for and is removed
	Torn    Kind = "torn"      // an entry at the end of the file What was not finished, by a crash, and was cut off
	Gap     Kind = "gap"       // entries that could not be written are missing here
)

// Term is a policy or an exception that the files have, with its time. From is zero if it was in force since ever, Until if it has no
// end; that of a revoked exception is the moment from which it is. Used is as Since of the last [ExceptionUsed], zero for never.
type Term struct {
	Name   string    `json:"name"`
	Agency string    `json:"agency,omitempty"` // of an exception
	State  State     `json:"state"`
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Used   time.Time `json:"used,omitzero"`
}

// State is whether a policy or an exception has begun.
type State string

// The states of a Term.
const (
	Waiting State = "waiting"
	Begun   State = "begun"
	Over    State = "over"
)

// Hold is a file, or "list NAME", of which the last good version is in force, and why.
type Hold struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// File is a policy file with the SHA-256 of its text, in hexadecimal digits.
type File struct {
	Name string `json:"name"`
	Hash string `json:"sha256"`
}

// List is a list with the hash of its rules and how many they are.
type List struct {
	Name    string `json:"name"`
	Hash    string `json:"hash"`
	Entries int    `json:"entries"`
}

// Count is how many queries of an agency's clients a policy bore on because of a list, by what became of them.
type Count struct {
	Agency   string `json:"agency"`
	Policy   string `json:"policy"`
	List     string `json:"list"`
	Refused  uint64 `json:"refused,omitempty"`
	Observed uint64 `json:"observed,omitempty"`
	Excepted uint64 `json:"excepted,omitempty"`
}
