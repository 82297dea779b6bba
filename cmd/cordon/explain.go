package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"cordon/blocklists/domain"
	"cordon/cmd/cordon/explain"
	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver/answer"
	"cordon/resolver/names"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// question is what explain is asked, as it was typed.
type question struct {
	config, client, rtype, at string
	answer                    []string
	everybody, json           bool
}

func explainCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "explain NAME",
		Short: "Say what a client would get, and why",
		Long: "Say what policy says of NAME, and by which agency, list, policy and exception, from the files as they are now.\n" +
			"No server needs to run, and nothing is asked in the network: what an answer would lead to is not known here,\n" +
			"unless --answer says it.",
		Example: "  cordon explain www.tiktok.com --client 10.10.7.42\n" +
			"  cordon explain www.tiktok.com --client 10.10.7.42 --at 2027-09-11T09:00 --json\n" +
			"  cordon explain news.example --client 10.10.7.42 --answer \"cdn.example 192.0.2.1\"\n" +
			"  cordon explain www.tiktok.com --all-agencies",
		Args: oneArgument("a name", "explain www.tiktok.com"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.everybody && (cmd.Flags().Changed("client") || len(q.answer) > 0) {
				return errors.New("explain: --all-agencies is for every client and for the name itself: " +
					"want no --client and no --answer with it")
			}
			return explainName(cmd, args[0], q)
		},
	}
	cmd.Flags().StringVar(&q.config, "config", "", "the service `FILE`, or the directory that it or a policy is in")
	cmd.Flags().StringVar(&q.client, "client", "127.0.0.1", "the `ADDRESS` of the client")
	cmd.Flags().StringVar(&q.rtype, "type", "A", "the `TYPE` of record that is asked for")
	cmd.Flags().StringVar(&q.at, "at", "", "a `TIME` such as 2027-09-11T09:00, in the time zone of the policy (default now)")
	cmd.Flags().StringArrayVar(&q.answer, "answer", nil, "`NAMES` and addresses that the answer leads to; may be repeated")
	cmd.Flags().BoolVar(&q.everybody, "all-agencies", false, "a table of what each agency gets")
	cmd.Flags().BoolVar(&q.json, "json", false, "answer in JSON")
	addSettings(cmd, "policy-dir")
	return cmd
}

func explainName(cmd *cobra.Command, text string, q question) error {
	name, client, err := q.parse(text)
	if err != nil {
		return err
	}
	leadsTo, err := explain.ParseChain(q.answer)
	if err != nil {
		return err
	}
	in, err := readAll(cmd, q.config)
	if err != nil {
		return err
	}
	if in.generation == nil {
		sayFaults(cmd.ErrOrStderr(), in.faults.Errors())
		return errors.New("explain: the configuration has faults, so there is no policy to explain")
	}
	in.sayHeld(cmd.ErrOrStderr())
	local := lookup(in.service, in.names, name, strings.ToUpper(q.rtype))
	snapshot := in.generation.snapshot
	at, err := moment(q.at, zoneOf(snapshot))
	if err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	now := policy.Instant{Now: at}
	if q.everybody {
		all := explain.Agencies(snapshot, []byte(name), now)
		if q.json {
			return writeJSON(cmd.OutOrStdout(), all)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s at %s\n\n", name, wording.Minute(at))
		return explain.WriteAgencies(cmd.OutOrStdout(), all)
	}
	asked := explain.Question{Name: name, Type: strings.ToUpper(q.rtype), Client: client, At: now, Answer: leadsTo}
	e := in.generation.explain(asked, &local)
	if q.json {
		return writeJSON(cmd.OutOrStdout(), e)
	}
	return e.Write(cmd.OutOrStdout())
}

// explain says what g says of q, on a server that does local with the name.
func (g *generation) explain(q explain.Question, local *explain.Local) *explain.Explained {
	compiled := func(x *config.Exception) *policy.Exception { return exceptionOf(g.set, x) }
	in := explain.Policy{Snapshot: g.snapshot, Set: g.set, Compiled: compiled}
	return in.Ask(q, local)
}

// lookup is what a server that has s and own does with name.
func lookup(s *config.Service, own *names.Table, name domain.Name, rtype string) explain.Local {
	var l explain.Local
	number := dns.StringToType[rtype]
	found := own.Look([]byte(name), number)
	if found.Where != names.Nowhere {
		at, _ := own.Origin(name, number)
		l.Source = at.String()
		l.Leads.Take(found.Leads(nil, nil))
	}
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(name.String()), number)
	packed, err := query.Pack()
	if err != nil {
		return l
	}
	q := new(wire.Query)
	q.Parse(packed)
	if found.Where == names.Here {
		l.Answer = answerText(found.Append(nil, q, 0))
		return l
	}
	asked, c := name, localConfig(s)
	if found.Where == names.Away {
		asked, _ = domain.FromWire(found.End())
		l.End = asked.String()
	} else if text, here := localZones(s, own, c).Append(nil, q); here {
		l.Answer = answerText(text)
		return l
	}
	l.Asked = forwardOf(s, asked)
	return l
}

// localZones are the zones of c that a server with s and own answers itself.
func localZones(s *config.Service, own *names.Table, c answer.LocalConfig) *answer.Local {
	for i := range s.Forward {
		for _, zone := range s.Forward[i].Zones() {
			c.Forwarded = append(c.Forwarded, []byte(zone))
		}
	}
	c.Owns = own.Exists
	return answer.NewLocal(c)
}

// forwardOf is what the entry of forward is called that holds name, "" if none does: that with the longest zone.
func forwardOf(s *config.Service, name domain.Name) string {
	label, longest := "", 0
	for i := range s.Forward {
		for _, zone := range s.Forward[i].Zones() {
			if len(zone) > longest && name.Within(zone) {
				label, longest = s.Forward[i].Label(), len(zone)
			}
		}
	}
	return label
}

// answerText is msg in a few words.
func answerText(msg []byte) string {
	reply := new(dns.Msg)
	if reply.Unpack(msg) != nil {
		return ""
	}
	if reply.Rcode == dns.RcodeSuccess && len(reply.Answer) == 0 {
		return "NODATA"
	}
	told := []string{dns.RcodeToString[reply.Rcode]}
	for _, rr := range reply.Answer {
		told = append(told, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	return strings.Join(told, " ")
}

// askedName is the name that text is. Of the address of a page, as browsers show it, the error has the name.
func askedName(text string) (domain.Name, error) {
	if page, err := url.Parse(text); err == nil && page.Scheme != "" && page.Hostname() != "" {
		return "", fmt.Errorf("%q is the address of a page: want the name in it, %q", text, page.Hostname())
	}
	return domain.Parse(text)
}

// parse is the name, which is text, and the client. It checks the rest but the time.
func (q *question) parse(text string) (name domain.Name, client netip.Addr, err error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return "", client, fmt.Errorf("explain: %s is an address: want a name, such as www.tiktok.com; "+
			"its client is given by --client", a)
	}
	if name, err = askedName(text); err != nil {
		return "", client, fmt.Errorf("explain: %w", err)
	}
	if client, err = netip.ParseAddr(q.client); err != nil {
		return "", client, fmt.Errorf("explain: --client %q is not an IP address: want one such as 192.0.2.7 or 2001:db8::7", q.client)
	}
	if _, known := dns.StringToType[strings.ToUpper(q.rtype)]; !known {
		return "", client, fmt.Errorf("explain: --type %q is not a type of record: want A, AAAA, HTTPS, TXT or another", q.rtype)
	}
	if _, err = moment(q.at, time.UTC); err != nil {
		return "", client, fmt.Errorf("explain: %w", err) // a form that is wrong in every zone, before anything is read
	}
	return name, client, nil
}

// moment is the time that text says, in zone unless it has an offset; now if it is empty.
func moment(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Now().In(zone), nil
	}
	t, err := config.ParseTime(text, zone)
	if err != nil {
		return t, fmt.Errorf("--at: %w", err)
	}
	return t, nil
}

// zoneOf is the time zone of the times in s, or that of this machine if there are several, or none.
func zoneOf(s *policy.Snapshot) *time.Location {
	var zone *time.Location
	mixed := false
	note := func(times ...time.Time) {
		for _, t := range times {
			if t.IsZero() {
				continue
			}
			mixed = mixed || zone != nil && zone.String() != t.Location().String()
			zone = t.Location()
		}
	}
	for _, p := range s.Policies() {
		note(p.From, p.Until, p.Decided, p.Review)
	}
	for _, e := range s.Exceptions() {
		note(e.From, e.Until)
	}
	if zone == nil || mixed {
		return time.Local
	}
	return zone
}
