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

	// Files are the files it was made of, in the order of their paths.
	Files []File
	// Hash is the SHA-256 of the files' names and texts in hexadecimal digits: two servers with the same Hash have the same
	// policy files, wherever those lie. It does not cover the lists that the files name.
	Hash string

	lost bool // an object is missing because of a fault: what is unknown may be known once that is mended
}

// policyFile is one policy file.
type policyFile struct {
	Place
	// Timezone is that of the times in this file, of the IANA database. Default: UTC, with a warning if it matters.
	Timezone   string        `yaml:"timezone"`
	OwnZones   []domain.Name `yaml:"own_zones"`
	Lists      []List        `yaml:"lists"`
	Policies   []Policy      `yaml:"policies"`
	Agencies   []Agency      `yaml:"agencies"`
	Exceptions []Exception   `yaml:"exceptions"`
}

// Policy is a decision to ban.
type Policy struct {
	Place
	// Name is what agencies and exceptions call it, and what the answer to a refused client names. Required; unique.
	Name string `yaml:"name" opt:"required name"`
	// Title is for people, by language ("en", "nl-BE"). Optional.
	Title map[string]string `yaml:"title"`
	// Authority is who decided, LegalReference where that is written, Decided when that was. Optional.
	Authority      string    `yaml:"authority"`
	LegalReference string    `yaml:"legal_reference"`
	Decided        time.Time `yaml:"decided"`
	// From is the first instant at which it is in force. Zero: since ever.
	From time.Time `yaml:"from"`
	// Until is the first instant at which it is no longer in force: `until: 2023-09-10` is midnight after that day. Zero: it
	// does not lapse.
	Until time.Time `yaml:"until" opt:"lastday"`
	// Review is when somebody should look at it again; it changes nothing by itself. Zero: never.
	Review time.Time `yaml:"review"`
	// Strength is ban (refused) or recommendation (only counted); default ban.
	Strength string `yaml:"strength" oneof:"ban recommendation" default:"ban"`
	// Lists are the names of the lists whose names are banned, at least one. Required.
	Lists []string `yaml:"lists" opt:"required"`
	// Answer is nxdomain, nodata, refused or null-ip; default nxdomain.
	Answer string `yaml:"answer" oneof:"nxdomain nodata refused null-ip" default:"nxdomain"`
	// Contact is whom a refused client can turn to, as a URI (mailto:, tel:, https:). Optional.
	Contact string `yaml:"contact"`
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
	// Class is the kind of exception, such as dedicated-device. Optional.
	Class string `yaml:"class"`
	// Reason is why it is needed, ApprovedBy who signed for it. Required.
	Reason     string `yaml:"reason" opt:"required"`
	ApprovedBy string `yaml:"approved_by" opt:"required"`
	// Approved is when that was. Zero: not said.
	Approved time.Time `yaml:"approved"`
	// From is the first instant at which it lifts something. Default: Approved.
	From time.Time `yaml:"from"`
	// Until is the first instant at which it no longer does: `until: 2023-09-10` is midnight after that day. Required.
	Until time.Time `yaml:"until" opt:"required lastday"`
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
