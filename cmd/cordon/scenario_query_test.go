package main

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/cmd/cordon/explain"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// ask is a query line. Its options are
//
//	tcp                       over a stream
//	do ad cd nord             bits
//	noedns size=N             no OPT record, another UDP size than 1232
//	option=CODE:HEX           an EDNS option with that data, which may be none
//	options=N                 so many of them, each of another code
//	z edns-z                  the bits of the header and of EDNS that mean nothing
//	class=CH opcode=N qr      other values in the header or the question
//	qd=N opt=N edns-version=N so many questions (the same), OPT records (the same)
//	cut=N more=N              so many octets missing, or too many, at the end
type ask struct {
	line   int64
	client netip.Addr
	name   string
	stream bool
	msg    []byte
	want   want
}

// newAsk reads the words of a query line, or of a raw one.
func newAsk(command string, args []string) (*ask, error) {
	i := slices.Index(args, "want")
	if i < 1 || i < 2 && command != "raw" || len(args) < i+2 {
		return nil, errUsage
	}
	client, err := netip.ParseAddr(args[0])
	if err != nil {
		return nil, err
	}
	a := &ask{client: client, name: args[1], stream: slices.Contains(args[:i], "tcp")}
	if a.want, err = newWant(args[i+1:]); err != nil {
		return nil, err
	}
	if command == "raw" {
		a.name = ""
		a.msg, err = hex.DecodeString(strings.TrimSuffix(strings.Join(args[1:i], ""), "tcp"))
		return a, err
	}
	a.msg, err = newMessage(args[1], args[2:i])
	return a, err
}

// draft is a query being made.
type draft struct {
	dns.Msg
	opt       *dns.OPT
	questions int
	opts      int
	cut, more int
}

func newMessage(name string, options []string) ([]byte, error) {
	d := &draft{questions: 1, opts: 1, opt: &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}}
	d.SetQuestion(dns.Fqdn(name), dns.TypeA)
	d.opt.SetUDPSize(1232)
	for i, option := range options {
		if t, ok := typeNamed(option); ok && i == 0 {
			d.Question[0].Qtype = t
			continue
		}
		if err := d.set(option); err != nil {
			return nil, err
		}
	}
	d.Question = slices.Repeat(d.Question, d.questions)
	for range d.opts {
		d.Extra = append(d.Extra, d.opt)
	}
	msg, err := d.Pack()
	if err != nil {
		return nil, err
	}
	return append(msg[:len(msg)-d.cut], make([]byte, d.more)...), nil
}

// typeNamed is the type of that name, which may be TYPE65280 too.
func typeNamed(text string) (uint16, bool) {
	if t, ok := dns.StringToType[text]; ok {
		return t, true
	}
	number, ok := strings.CutPrefix(text, "TYPE")
	t, err := strconv.ParseUint(number, 10, 16)
	return uint16(t), ok && err == nil
}

func (d *draft) set(option string) error {
	key, value, _ := strings.Cut(option, "=")
	n, _ := strconv.Atoi(value)
	if key == "option" {
		return d.addOption(value)
	}
	set := map[string]func(){
		"tcp":          func() {},
		"do":           func() { d.opt.SetDo() },
		"ad":           func() { d.AuthenticatedData = true },
		"cd":           func() { d.CheckingDisabled = true },
		"nord":         func() { d.RecursionDesired = false },
		"noedns":       func() { d.opts = 0 },
		"size":         func() { d.opt.SetUDPSize(uint16(n)) },
		"options":      func() { d.addOptions(n) },
		"z":            func() { d.Zero = true },
		"edns-z":       func() { d.opt.SetZ(0x3FFF) },
		"class":        func() { d.Question[0].Qclass = dns.StringToClass[value] },
		"opcode":       func() { d.Opcode = n },
		"qr":           func() { d.Response = true },
		"qd":           func() { d.questions = n },
		"opt":          func() { d.opts = n },
		"edns-version": func() { d.opt.SetVersion(uint8(n)) },
		"cut":          func() { d.cut = n },
		"more":         func() { d.more = n },
	}[key]
	if set == nil {
		return fmt.Errorf("no option %q", option)
	}
	set()
	return nil
}

func (d *draft) addOption(text string) error {
	code, data, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(code, 10, 16)
	option := &dns.EDNS0_LOCAL{Code: uint16(n)}
	if err == nil {
		option.Data, err = hex.DecodeString(data)
	}
	d.opt.Option = append(d.opt.Option, option)
	return err
}

func (d *draft) addOptions(n int) {
	for i := range n {
		d.opt.Option = append(d.opt.Option, &dns.EDNS0_LOCAL{Code: uint16(dns.EDNS0LOCALSTART - i)})
	}
}

func (x *scenario) query(command string, args []string) error {
	a, err := newAsk(command, args)
	if err == nil {
		a.line = x.line.Load()
		x.do(a)
	}
	return err
}

// startQuery lets a query wait in the background.
func (x *scenario) startQuery(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	a, err := newAsk(args[0], args[1:])
	if err != nil {
		return err
	}
	a.line = x.line.Load()
	x.background.Go(func() { x.do(a) })
	x.settle()
	return nil
}

// crowd asks n times at once and waits, unless it is to go on.
func (x *scenario) crowd(n int, args []string) {
	goOn := len(args) > 0 && args[0] == "go"
	if goOn {
		args = args[1:]
	}
	if len(args) < 3 {
		x.fatalf("%v", errUsage)
	}
	for i := range n {
		words := slices.Clone(args[1:])
		words[1] = strings.ReplaceAll(words[1], "%", strconv.Itoa(i))
		a, err := newAsk(args[0], words)
		if err != nil {
			x.fatalf("%v", err)
		}
		a.line = x.line.Load()
		x.background.Go(func() { x.do(a) })
	}
	if goOn {
		x.settle()
		return
	}
	x.background.Wait()
}

// do asks a by both doors, as a listener does, and checks the answer.
func (x *scenario) do(a *ask) {
	x.private.Store(a.client.String(), nil)
	if len(a.name) > 1 {
		x.private.Store(strings.ToLower(a.name), nil)
	}
	begun := time.Now()
	q := &wire.Query{Client: netip.AddrPortFrom(a.client, 5353), Stream: a.stream, Now: x.now()}
	sent := slices.Clone(a.msg)
	var answer []byte
	if q.Parse(sent) != wire.Drop {
		answer = x.exchange(q)
	}
	took := time.Since(begun)
	q.Parse(a.msg)
	x.check(a, q, answer, took)
}

// exchange is what a listener does, with a buffer that others use again at once.
func (x *scenario) exchange(q *wire.Query) []byte {
	answer, ok := x.server.resolver.Answer(nil, q)
	if ok {
		return answer
	}
	replies := make(chan []byte, 2)
	x.asked.Add(1)
	x.server.resolver.Start(q, func(answer []byte) {
		x.replied.Add(1)
		replies <- slices.Clone(answer)
		clear(answer)
	})
	clear(q.Msg)
	clear(q.Name)
	return <-replies
}

func (x *scenario) check(a *ask, q *wire.Query, answer []byte, took time.Duration) {
	if a.want.drop || len(answer) == 0 {
		if a.want.drop != (len(answer) == 0) {
			x.errorAt(a.line, "got an answer of %d octets; it is wanted that there is none: %t", len(answer), a.want.drop)
		}
		return
	}
	m := new(dns.Msg)
	if err := m.Unpack(answer); err != nil {
		x.errorAt(a.line, "%s: the answer does not parse: %v\n%x", a.name, err, answer)
		return
	}
	if wrong := append(malformed(q, m, answer), a.want.unlike(m, took)...); len(wrong) > 0 {
		x.errorAt(a.line, "%s: %s\n%s", a.name, strings.Join(wrong, "\n"), m)
	}
	if q.Problem == wire.None {
		x.agree(a, q, m)
	}
}

// malformed says what no answer to q may be like, whatever it says.
func malformed(q *wire.Query, m *dns.Msg, answer []byte) (wrong []string) {
	must := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, "an answer must have "+what)
		}
	}
	question := q.RawQuestion()
	opt := m.IsEdns0()
	must(m.Id == q.ID, "the ID of the query")
	must(m.Response && m.RecursionAvailable && !m.Authoritative, "QR=1 RA=1 AA=0")
	must(m.RecursionDesired == q.RD() && m.CheckingDisabled == q.CD(), "RD and CD of the query")
	must(!m.AuthenticatedData || q.AD() || q.DO, "AD=0 for a client that sets neither AD nor DO")
	must(strings.HasPrefix(string(answer[wire.HeaderLen:]), string(question)), "the question as it was spelled")
	must(len(m.Question) == min(1, len(question)), "as many questions as it could read, one at most")
	must((opt != nil) == q.OPT, "an OPT record if the query has one")
	must(opt == nil || opt.Do() == q.DO, "the DO bit of the query")
	must(!m.Zero && (opt == nil || opt.Version() == 0 && opt.Z() == 0), "no bits that mean nothing, and EDNS version 0")
	must(opt == nil || !slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool { return o.Option() != dns.EDNS0EDE }), "no option but EDE")
	must(len(answer) <= q.Limit(), "at most the size that the client takes")
	must(!m.Truncated || len(m.Answer)+len(m.Ns) == 0 && !q.Stream, "no records with TC, and no TC over a stream")
	return wrong
}

// agree checks that explain says of the question what the answer says.
func (x *scenario) agree(a *ask, q *wire.Query, m *dns.Msg) {
	snapshot, now := x.server.resolver.Snapshot(), x.clock.At(x.now())
	asker, allowed := snapshot.Asker(a.client)
	found := snapshot.Explain(asker, q.Name, now)
	said, decided := explain.Of(&found, allowed), snapshot.Decide(asker, q.Name, now)
	text, hasText := refusedBy(m)
	switch {
	case !allowed:
		if m.Rcode != dns.RcodeRefused || said.Verdict != "prohibited" {
			x.errorAt(a.line, "%s: the client may not ask, explain says %s: %s", a.name, said.Verdict, m)
		}
	case ledTo(snapshot, asker, q.Name, now) != decided.Action.String():
		x.errorAt(a.line, "%s: explain says %s of it in an answer, but it was decided %v", a.name, ledTo(snapshot, asker, q.Name, now), decided.Action)
	case found.Verdict.Action != decided.Action:
		x.errorAt(a.line, "%s: explain says %v, but it was decided %v", a.name, found.Verdict.Action, decided.Action)
	case decided.Action == policy.Refuse:
		if strings.HasPrefix(said.Answer, "0.0.0.0") && strings.HasPrefix(text, "{") {
			said.Answer = "NXDOMAIN" // who understands a structured error gets no forged answer
			if m.Rcode == dns.RcodeSuccess {
				said.Answer = "NODATA"
			}
		}
		if wrong := unlikeRefusal(said, m); wrong != "" {
			x.errorAt(a.line, "%s: explain says %s %q, but %s\n%s", a.name, said.Verdict, said.Answer, wrong, m)
		}
		if q.OPT && (!hasText || !speaksOf(text, said.Policy.Name)) {
			x.errorAt(a.line, "%s: explain says policy %s, the answer says %q", a.name, said.Policy.Name, text)
		}
	case hasText && m.Rcode == dns.RcodeNameError:
		x.errorAt(a.line, "%s: explain says %s: what an answer leads to is not NXDOMAIN\n%s", a.name, said.Verdict, m)
	}
}

// ledTo is what explain says of name where the answer to a question that no list has leads to it.
func ledTo(s *policy.Snapshot, asker *policy.Asker, name []byte, now policy.Instant) string {
	question := []byte(domain.MustParse("unlisted.invalid"))
	found := s.ExplainAnswer(asker, s.Decide(asker, question, now), [][]byte{name}, nil, now)
	said := explain.Of(&found, true)
	var to explain.Chain
	to.Take([][]byte{name}, nil)
	said.Follow(to)
	return said.LeadsTo[0].Verdict
}

// wantExplained asks what policy says of a name, where the answer alone doesn't tell.
func (x *scenario) wantExplained(args []string) error {
	if len(args) != 3 && len(args) != 4 {
		return errUsage
	}
	client, err := netip.ParseAddr(args[0])
	if err != nil {
		return err
	}
	name, err := domain.Parse(args[1])
	if err != nil {
		return err
	}
	snapshot := x.server.resolver.Snapshot()
	asker, allowed := snapshot.Asker(client)
	found := snapshot.Explain(asker, []byte(name), x.clock.At(x.now()))
	said, by := explain.Of(&found, allowed), ""
	if said.Policy != nil {
		by = said.Policy.Name
	}
	if want := append(args, ""); said.Verdict != want[2] || by != want[3] {
		x.errorf("%s: explain says %s by policy %q, want %s by %q", args[1], said.Verdict, by, want[2], want[3])
	}
	return nil
}

// unlikeRefusal says why m is not the refusal that explain announces, "" if it is.
func unlikeRefusal(said *explain.Explained, m *dns.Msg) string {
	mode, _, _ := strings.Cut(said.Answer, " ")
	switch strings.TrimSuffix(mode, ",") {
	case "NXDOMAIN":
		if m.Rcode != dns.RcodeNameError || len(m.Answer) != 0 {
			return "the answer is not NXDOMAIN"
		}
	case "NODATA":
		if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 0 {
			return "the answer is not NODATA"
		}
	case "REFUSED":
		if m.Rcode != dns.RcodeRefused {
			return "the answer is not REFUSED"
		}
	case "0.0.0.0":
		if data := rdata(m.Answer); len(data) > 1 || len(data) == 1 && data[0] != "0.0.0.0" && data[0] != "::" {
			return "the answer is not null"
		}
	default:
		return "that is no known answer"
	}
	return ""
}

// refusedBy is what the answer says of the policy that refused it.
func refusedBy(m *dns.Msg) (text string, ok bool) {
	code, text := extended(m)
	return text, slices.Contains([]int{4, 15, 16}, code)
}

// speaksOf says whether text, of a refusal, may be about the policy of that name: a structured one does not name it.
func speaksOf(text, name string) bool {
	return text == "policy "+name || strings.HasSuffix(text, " ["+name+"]") || strings.HasPrefix(text, "{")
}
