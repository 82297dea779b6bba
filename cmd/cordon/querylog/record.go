package querylog

import (
	"encoding/json"
	"net/netip"

	"cordon/blocklists/domain"
	"cordon/resolver/wire"
)

// record is an event as an output gets it. It is dead when the output has encoded it.
type record struct {
	*event

	client called
	line   []byte // it as JSON, without an end of line
}

// line is a record as JSON. Names are in the presentation form of RFC 1035, section 5.1, so that every octet of them is printable ASCII.
type line struct {
	Time      string `json:"time"`
	Verdict   string `json:"verdict"`
	Client    string `json:"client,omitempty"`
	Agency    string `json:"agency,omitempty"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Class     string `json:"class,omitempty"`
	Rcode     string `json:"rcode"`
	Transport string `json:"transport"`
	Policy    string `json:"policy,omitempty"`
	List      string `json:"list,omitempty"`
	Rule      string `json:"rule,omitempty"`
	Answer    string `json:"answer,omitempty"`
	Exception string `json:"exception,omitempty"`
	Incident  string `json:"incident,omitempty"`
}

// timeFormat is RFC 3339 in UTC, to the microsecond.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// encode is e as JSON; incident is the identity of that which it is logged for, "" for none.
func encode(e *event, client called, incident string, words Words) []byte {
	l := line{
		Time: e.time.UTC().Format(timeFormat), Verdict: e.action.String(), Client: client.text,
		Name: presented(e.name()), Type: words.Type(e.qtype), Rcode: words.Rcode(int(e.rcode())), Transport: transport(e),
		List: e.list, Rule: presented(e.suffix()), Answer: e.matched(), Incident: incident,
	}
	if e.class != wire.ClassINET {
		l.Class = words.Class(e.class)
	}
	if e.agency != nil {
		l.Agency = e.agency.Name
	}
	if e.policy != nil {
		l.Policy = e.policy.Name
	}
	if e.exception != nil {
		l.Exception = e.exception.Name
	}
	text, err := json.Marshal(l)
	if err != nil {
		return []byte("{}") // strings always can be written
	}
	return text
}

// Words are how numbers of the DNS are called.
type Words struct {
	Type, Class func(uint16) string
	Rcode       func(int) string
}

func transport(e *event) string {
	if e.stream {
		return "tcp"
	}
	return "udp"
}

// presented is name as text, "" for none. The root is ".".
func presented(name []byte) string {
	if len(name) == 0 {
		return ""
	}
	return string(domain.AppendText(nil, name))
}

// matched is what in the answer a rule matched, "" if it was the question.
func (e *event) matched() string {
	switch {
	case !e.inAnswer:
		return ""
	case e.addr.IsValid():
		return e.addr.String()
	default:
		return presented(e.other())
	}
}

// plainly is the client by its address.
func plainly(client netip.Addr) called { return called{text: client.String(), addr: client} }
