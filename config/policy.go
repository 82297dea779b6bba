package config

import (
	"net/netip"
	"time"

	"cordon/blocklists/domain"
)

// DefaultAgency is the agency of the clients that are in no agency's network. It is there even if no file has it.
const DefaultAgency = "default"

// PolicySet is the policy files together. It is immutable once it was checked.
type PolicySet struct {
	Lists      []*List
	Policies   []*Policy
	Agencies   []*Agency
	Exceptions []*Exception
	// OwnZones are the zones of the organisation itself: no list may hold them, what holds them, or a name in them.
	OwnZones []domain.Name
	// MaxException is how far away the end of an exception may be, from when it was approved or last extended. At least a day.
	MaxException time.Duration

	// Files are the files it was made of, in the order of their paths.
	Files []File
	// Hash is the SHA-256 of the files' names and texts in hexadecimal digits: two servers with the same Hash have the same
	// policy files, wherever those lie. It does not cover the lists that the files name.
	Hash string

	lost      bool                // an object is missing because of a fault: what is unknown may be known once that is mended
	docs      []*policyFile       // as they were read: main files, then owned ones in the order of the includes
	additions []*Agency           // what owned files say of their owners; it is in Agencies too
	strays    []*List             // lists that owned files may not have; Lists are fetched and watched unchecked, and have none of them
	usurpers  []*Agency           // what owned files of others say of the default agency, which is there unwritten; it is not in Agencies
	owners    map[string]string   // of files, by path
	lifts     map[string][]string // by owner: see Lifts
}

// defaultMaxException is a year, and the day that some years have more.
const defaultMaxException = 366 * 24 * time.Hour

// policyFile is one policy file. A main file lies directly in the policy directory and may say everything; an owned one lies in a
// subdirectory, is included by a main file, and may speak of one agency, its owner, and those below it. See [Include].
type policyFile struct {
	Place
	// Version is the version of the form that the file is written in. Left out: 1. A file of a later version than the program knows is a
	// fault.
	Version int `yaml:"version" opt:"fileonly" default:"1" min:"1" max:"1"`
	// Timezone is that of the times in this file, of the IANA database. Default: UTC, with a warning if it matters.
	Timezone string `yaml:"timezone"`
	// Include are the owned files. In a main file only.
	Include []Include `yaml:"include"`
	// MaxException is how far away the end of an exception may be. 1 to 3650 days; default a year (366d). In one main file only.
	MaxException time.Duration `yaml:"max_exception" min:"1d" max:"3650d"`
	// OwnZones are the zones of the organisation itself: no list may hold them, what holds them, or a name in them. In a main file only.
	OwnZones []domain.Name `yaml:"own_zones"`
	// Lists are sets of names to ban, each from one source. They ban nothing by themselves: policies do.
	Lists []List `yaml:"lists"`
	// Policies are the decisions to ban.
	Policies []Policy `yaml:"policies"`
	// Agencies are the bodies whose clients share policy. Clients of none belong to the agency "default".
	Agencies []Agency `yaml:"agencies"`
	// Exceptions are what lifts policies for somebody, until they end.
	Exceptions []Exception `yaml:"exceptions"`
}

// Include names a policy file that the administrators of an agency keep themselves.
type Include struct {
	Place
	// File is its path, relative to the policy directory, in which the main file lies: in a subdirectory of it. Required; each file once.
	File string `yaml:"file" opt:"required path"`
	// Owner is the agency of a main file that it belongs to. Required.
	Owner string `yaml:"owner" opt:"required"`
}

// Policy is a decision to ban.
type Policy struct {
	Place
	// Name is what agencies and exceptions call it, and what the answer to a refused client names. Required; unique.
	Name string `yaml:"name" opt:"required name"`
	// Title is for people, by language ("en", "nl-BE"). Optional.
	Title map[string]string `yaml:"title"`
	// Authority is who decided, LegalReference where that is written, Link where that can be read (https), Decided when that was. Optional.
	Authority      string    `yaml:"authority"`
	LegalReference string    `yaml:"legal_reference"`
	Link           string    `yaml:"link"`
	Decided        time.Time `yaml:"decided"`
	// From is the first instant at which it is in force. Zero: since ever.
	From time.Time `yaml:"from"`
	// Until is the first instant at which it is no longer in force: `until: 2023-09-10` is midnight after that day. Zero: it
	// does not lapse.
	Until time.Time `yaml:"until" opt:"lastday"`
	// Prolonged is the history of Until, for people: Until alone counts. Optional.
	Prolonged []Prolonged `yaml:"prolonged"`
	// Review is when somebody should look at it again; it changes nothing by itself. Zero: never.
	Review time.Time `yaml:"review"`
	// Strength is ban (refused) or recommendation (only counted); default ban.
	Strength string `yaml:"strength" oneof:"ban recommendation" default:"ban"`
	// Lists are the names of the lists whose names are banned, at least one. Required.
	Lists []string `yaml:"lists" opt:"required"`
	// Answer is nxdomain, nodata, refused or null-ip; default nxdomain.
	Answer string `yaml:"answer" oneof:"nxdomain nodata refused null-ip" default:"nxdomain"`
	// EDE is the extended error that a refusal has (RFC 8914, section 5.2): 15 Blocked, the default, or 16 Censored where another
	// authority than the operator of this server ordered it. 0: what fits Answer.
	EDE int `yaml:"ede" min:"15" max:"16"`
	// Contact is whom a refused client can turn to, as a URI (mailto:, tel:, https:). Optional.
	Contact string `yaml:"contact"`
	// BlanketExceptions is forbidden if no exception from it may be for a whole agency; default allowed.
	BlanketExceptions string `yaml:"blanket_exceptions" oneof:"allowed forbidden" default:"allowed"`
	// Binding: no owned file may weaken it, by an exception or by a mode, but those of the agencies in ExceptionsBy. In a main file only.
	Binding      bool     `yaml:"binding"`
	ExceptionsBy []string `yaml:"exceptions_by"`
}

// Prolonged is one prolongation of a policy, or extension of an exception.
type Prolonged struct {
	Place
	// On is when it was decided, Until the end that it gave, as Until of what was prolonged. Required.
	On    time.Time `yaml:"on" opt:"required"`
	Until time.Time `yaml:"until" opt:"required lastday"`
	// Reference is where that is written, ApprovedBy who signed for it. Optional.
	Reference  string `yaml:"reference"`
	ApprovedBy string `yaml:"approved_by"`
}

// Agency is a body whose clients share policy.
type Agency struct {
	Place
	// Name is what exceptions and children call it, and a label of metrics. Required; unique. See [DefaultAgency].
	Name string `yaml:"name" opt:"required name"`
	// Parent is the agency whose policies are also this one's. Empty: none.
	Parent string `yaml:"parent"`
	// Networks are those of its clients. A client belongs to the agency of the longest network that it is in.
	Networks []netip.Prefix `yaml:"networks"`
	// Policies are the names of its own. An agency without any, of its own or its ancestors', has every policy.
	Policies []string `yaml:"policies"`
	// Mode is enforce, observe (what would be refused is answered and counted) or off. Empty: the parent's, enforce without
	// a parent.
	Mode string `yaml:"mode" oneof:"enforce observe off"`
	// Language is what its clients are told refusals in, as in a policy's title ("fr", "nl-BE"). Empty: the parent's.
	Language string `yaml:"language"`
	// Contact is whom its clients can turn to, as a policy's. Empty: the parent's, else the policy's.
	Contact string `yaml:"contact"`
	// Forwarders are DNS forwarders of its own: an address of many clients. Optional.
	Forwarders []netip.Prefix `yaml:"forwarders"`
}

// Exception lifts policies for an agency, or for clients of it, until it ends.
type Exception struct {
	Place
	// Name is unique among exceptions. Required.
	Name string `yaml:"name" opt:"required name"`
	// Agency is the one it is for. Required.
	Agency string `yaml:"agency" opt:"required"`
	// Descendants: it is also for the agencies below that one. Default: false.
	Descendants bool `yaml:"descendants"`
	// Clients are those of the agency, or of its descendants, that it is for. Empty: the whole agency.
	Clients []netip.Prefix `yaml:"clients"`
	// Policies are the names of what it lifts. Empty: every policy that the agency has.
	Policies []string `yaml:"policies"`
	// Names are lifted with all names below them, Lists are lifted whole. Both empty: all that the policies ban.
	Names []domain.Name `yaml:"names"`
	Lists []string      `yaml:"lists"`
	// Class is the kind of exception. Optional.
	Class string `yaml:"class" oneof:"dedicated-device law-enforcement national-security security-research oversight communications emergency"`
	// Reason is why it is needed, ApprovedBy who signed for it. Required.
	Reason     string `yaml:"reason" opt:"required"`
	ApprovedBy string `yaml:"approved_by" opt:"required"`
	// Approved is when that was. Zero: not said.
	Approved time.Time `yaml:"approved"`
	// From is the first instant at which it lifts something. Default: Approved.
	From time.Time `yaml:"from"`
	// Until is the first instant at which it no longer does: `until: 2023-09-10` is midnight after that day. Required.
	Until time.Time `yaml:"until" opt:"required lastday"`
	// Extended is the history of Until, for people: Until alone counts. Optional.
	Extended []Prolonged `yaml:"extended"`
	// Revoked is the first instant at which it no longer lifts anything, before Until; RevokedBy is who decided that. Zero: it was not.
	Revoked   time.Time `yaml:"revoked"`
	RevokedBy string    `yaml:"revoked_by"`
	// Ticket is where the request for it is filed. Optional.
	Ticket string `yaml:"ticket"`
}

// Start is the first instant at which the exception lifts something: From, else Approved. Zero: since ever.
func (e *Exception) Start() time.Time {
	if e.From.IsZero() {
		return e.Approved
	}
	return e.From
}

// End is the first instant at which the exception no longer lifts anything: Until, or Revoked if that comes before.
func (e *Exception) End() time.Time {
	if !e.Revoked.IsZero() && e.Revoked.Before(e.Until) {
		return e.Revoked
	}
	return e.Until
}

// NeverBegan says whether the exception was revoked before it began.
func (e *Exception) NeverBegan() bool { return !e.Start().Before(e.End()) }

// Owner is the agency that owns the file of that path, "" for a main file.
func (s *PolicySet) Owner(path string) string { return s.owners[path] }
