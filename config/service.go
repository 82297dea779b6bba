package config

import (
	"net/netip"
	"time"

	"cordon/blocklists/domain"
)

// Service is cordon.yaml: how this server listens, whom it asks and what it may use. The policy is in other files, see
// [PolicySet]. Every key has a default, so that an empty Service in a file ("{}") runs.
//
// A plain value, or a list of plain values, can also be set by an environment variable, whose name is CORDON_ and the path
// of the key, such as CORDON_LISTEN_DNS or CORDON_CACHE_MAX_BYTES, and some by a flag. A flag goes before the environment,
// the environment before the file, the file before the default. In both, lists are divided by commas.
//
// Relative paths in the file start at the file's directory; those of flags and of the environment at the working directory.
type Service struct {
	Place

	// Version is the version of the form that the file is written in. Left out: 1. A file of a later version than the program knows is a
	// fault.
	Version int `yaml:"version" opt:"fileonly" default:"1" min:"1" max:"1"`

	Listen Listen `yaml:"listen"`
	Admin  Admin  `yaml:"admin"`

	// AllowClients are the networks whose clients are answered, beside the networks of the agencies, which always are.
	// Default: loopback, RFC 1918, RFC 6598 (100.64.0.0/10), RFC 4193 (fc00::/7) and link-local. Others get REFUSED.
	AllowClients []netip.Prefix `yaml:"allow_clients" opt:"empty" default:"127.0.0.0/8 ::1/128 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7 169.254.0.0/16 fe80::/10"`

	// Upstreams are the servers that are asked. Empty: those of ResolvConf.
	Upstreams []Upstream `yaml:"upstreams"`
	// ResolvConf is the file whose nameserver lines are the upstreams if Upstreams is empty (resolv.conf(5)).
	ResolvConf string `yaml:"resolv_conf" opt:"path" default:"/etc/resolv.conf"`
	// Forward has the zones for which other servers are asked. The longest zone that a name is in counts.
	Forward []Forward `yaml:"forward"`
	// Local has the names that are answered here.
	Local Local `yaml:"local"`

	Cache    Cache    `yaml:"cache"`
	Limits   Limits   `yaml:"limits"`
	Canaries Canaries `yaml:"canaries"`
	Log      Log      `yaml:"log"`
	Audit    Audit    `yaml:"audit"`
	QueryLog QueryLog `yaml:"query_log"`
	// StructuredErrors says why a refusal was one in JSON, to clients that ask for it.
	StructuredErrors StructuredErrors `yaml:"structured_errors"`

	// PolicyDir is the directory whose *.yaml files are the policy. Empty, the default: the policy inside the binary, see
	// [DefaultPolicy].
	PolicyDir string `yaml:"policy_dir" opt:"path" flag:"policy-dir" help:"the 'DIR' of the policy files (default policy_dir in cordon.yaml, else the policy inside the program)"`
	// StateDir is the directory for the last good policy and lists. Empty, the default: nothing is kept, and a server that
	// starts with a fault in its policy does not serve.
	StateDir string `yaml:"state_dir" opt:"path" flag:"state-dir" help:"the 'DIR' for the last good policy and lists and the audit log (default state_dir in cordon.yaml, else none)"`
}

// Listen says where the server is asked.
type Listen struct {
	Place
	// DNS are the addresses for queries over UDP and TCP, at least one. Port 0 is any free port. Default: 127.0.0.1:5300 and
	// [::1]:5300, which need no privilege.
	DNS []netip.AddrPort `yaml:"dns" default:"127.0.0.1:5300 [::1]:5300" flag:"listen" help:"the 'ADDRESS' for DNS over UDP and TCP; several are divided by commas"`
	// Admin is where metrics and health are asked for over HTTP; who may ask is in [Admin]. "off": nowhere. Default: 127.0.0.1:9353.
	Admin Endpoint `yaml:"admin" opt:"off" default:"127.0.0.1:9353" flag:"admin" help:"the 'ADDRESS' for metrics and health over HTTP, unix:PATH, or off"`
}

// Admin says who may ask the admin listener for more than whether the server is well. Nobody is asked who they are without a TokenFile
// and a ClientCA, which is a fault where other hosts reach the listener. With both, either will do. All are files, so that no secret
// stands in this one, in a flag or in the environment; they are read again when they change.
type Admin struct {
	Place
	// TokenFile has the token that a request shows (RFC 6750, section 2.1): one word of printable ASCII, 16 to 4096 octets.
	TokenFile string `yaml:"token_file" opt:"path"`
	// Certificate has the server's certificate in PEM, with those between it and its authority. Empty, the default: no TLS.
	Certificate string `yaml:"certificate" opt:"path"`
	// Key has the private key of Certificate in PEM.
	Key string `yaml:"key" opt:"path"`
	// ClientCA has the authorities in PEM by one of which the certificate of a client is to be signed. It needs Certificate.
	ClientCA string `yaml:"client_ca" opt:"path"`
}

// Upstream is a server that is asked. In place of the whole object its address can be written alone.
type Upstream struct {
	Place
	// Address is where it is asked over UDP, and over TCP where UDP does not do. Required. Port 53 if none is written.
	Address netip.AddrPort `yaml:"address" opt:"required short upstream"`
	// ServerName is for encrypted upstreams, which are not supported yet.
	ServerName string `yaml:"server_name"`
	// Trusted: it validates DNSSEC and the way to it is safe, so its AD bit is passed on (RFC 6840, section 5.8).
	// Default: false.
	Trusted bool `yaml:"trusted"`
}

// Forward sends the names of a zone, or the addresses of networks, to other servers.
type Forward struct {
	Place
	// Zone is the zone's name; it and all names below it are meant. It or Networks is required; not the root.
	Zone domain.Name `yaml:"zone"`
	// Networks are those whose addresses the servers know the names of: their reverse zones are asked of them.
	Networks []netip.Prefix `yaml:"networks"`
	// Upstreams are the servers for the zone, at least one. Required.
	Upstreams []Upstream `yaml:"upstreams" opt:"required"`
}

// Zones are all zones that f is for: Zone, and the reverse zones of Networks.
func (f *Forward) Zones() []domain.Name {
	var zones []domain.Name
	if f.Zone != "" {
		zones = append(zones, f.Zone)
	}
	for _, network := range f.Networks {
		zones = append(zones, domain.Reverse(network)...)
	}
	return zones
}

// Label is what f is called in metrics and logs: its zone, else its first network.
func (f *Forward) Label() string {
	if f.Zone == "" && len(f.Networks) > 0 {
		return f.Networks[0].String()
	}
	return f.Zone.String()
}

// Local has names of one's own, which are answered here and before any upstream is asked. Policy goes before them.
type Local struct {
	Place
	// Records are records in the form of a zone file, one a text: "intranet.example 3600 A 192.0.2.10". Names are whole, with or without
	// a dot at the end; TTL and class may be left out. A name has what stands here and nothing else: of other types there is no record.
	Records []string `yaml:"records"`
	// Hosts are files in the form of hosts(5): addresses, and the names that each has. The first name is the one of the address.
	Hosts []string `yaml:"hosts" opt:"path"`
	// Zones are zones of which all is here: of names in them that have no record there is none, and no upstream is asked.
	Zones []domain.Name `yaml:"zones"`
	// TTL is how long the answers may be kept: records without a TTL of their own, names of Hosts, and that there is none. 1 s to 1 day;
	// default 5 minutes.
	TTL time.Duration `yaml:"ttl" default:"5m" min:"1s" max:"24h"`
}

// Cache says what is kept of the upstreams' answers.
type Cache struct {
	Place
	// MaxBytes bounds the memory of the cache. 1 MiB to 1 TiB; default 256 MiB.
	MaxBytes Size `yaml:"max_bytes" default:"256MiB" min:"1MiB" max:"1024GiB"`
	// ServeStale: an answer that is no longer fresh is given when no upstream answers (RFC 8767). Default: true.
	ServeStale bool `yaml:"serve_stale" default:"true"`
	// MaxStale is how long after its end an answer can be given. 0 s to 1 day, the default.
	MaxStale time.Duration `yaml:"max_stale" default:"24h" min:"0s" max:"24h"`
}

// Limits bound what one client, and all of them, can make the server do.
type Limits struct {
	Place
	// QueriesPerSecond is how many queries a second one client may ask, by UDP and TCP together. More over UDP get no answer, but for some
	// that are sent to TCP; over TCP they wait. 1 to 10 000 000; "off", 0: no limit. Default 10 000.
	QueriesPerSecond int `yaml:"queries_per_second" opt:"off" default:"10000" min:"1" max:"10000000"`
	// QueriesBurst is how many it may ask at once after a silence. 1 to 10 000 000; default 20 000.
	QueriesBurst int `yaml:"queries_burst" default:"20000" min:"1" max:"10000000"`
	// QueriesIPv4Prefix is how long the network of one client is: addresses that have so many bits in common share a rate.
	// 0 to 32; default 32: each address by itself.
	QueriesIPv4Prefix int `yaml:"queries_ipv4_prefix" default:"32" min:"0" max:"32"`
	// QueriesIPv6Prefix is the same for IPv6. 0 to 128; default 64, of which a device can have as many addresses as it likes.
	QueriesIPv6Prefix int `yaml:"queries_ipv6_prefix" default:"64" min:"0" max:"128"`
	// QueriesUnlimited are networks without this limit: of servers that ask for many clients. Default: loopback.
	QueriesUnlimited []netip.Prefix `yaml:"queries_unlimited" opt:"empty" default:"127.0.0.0/8 ::1/128"`
	// WaitingPerClient is how many queries of one IPv4 address, or one IPv6 /64, can wait for upstreams. 1 to 1 000 000; default 1000.
	WaitingPerClient int `yaml:"waiting_per_client" default:"1000" min:"1" max:"1000000"`
	// WaitingTotal is the same for all clients. 1 to 1 000 000; default 10 000.
	WaitingTotal int `yaml:"waiting_total" default:"10000" min:"1" max:"1000000"`
	// TCPConnections is how many TCP connections of clients are open at once. 1 to 1 000 000; default 1024.
	TCPConnections int `yaml:"tcp_connections" default:"1024" min:"1" max:"1000000"`
	// TCPConnectionsPerClient is the same for one IPv4 address, or one IPv6 /64. 1 to 1 000 000; default 64.
	TCPConnectionsPerClient int `yaml:"tcp_connections_per_client" default:"64" min:"1" max:"1000000"`
	// TCPIdle is how long a TCP connection may be silent (RFC 7766, section 6.2.3). 100 ms to 30 s; default 10 s.
	TCPIdle time.Duration `yaml:"tcp_idle" default:"10s" min:"100ms" max:"30s"`
	// QueryTimeout is how long a client waits for an answer at most. 100 ms to 5 s; default 4.5 s, so that
	// the answer comes before a stub resolver's own 5 s are over.
	QueryTimeout time.Duration `yaml:"query_timeout" default:"4.5s" min:"100ms" max:"5s"`
}

// Canaries are names by which software asks whether it may go round the network's resolver.
type Canaries struct {
	Place
	// Firefox: use-application-dns.net does not exist, so that the browser keeps using this resolver. Default: true.
	Firefox bool `yaml:"firefox" default:"true"`
	// ICloudPrivateRelay: mask.icloud.com and mask-h2.icloud.com do not exist, so that Apple's devices keep using this
	// resolver. Default: true.
	ICloudPrivateRelay bool `yaml:"icloud_private_relay" default:"true"`
}

// Log says what is logged on standard error.
type Log struct {
	Place
	// Level is debug, info, warn or error; default info. No level has a client's address or
	// a name that was asked.
	Level string `yaml:"level" oneof:"debug info warn error" default:"info" flag:"log-level" help:"the 'LEVEL' of the log: debug, info, warn or error"`
	// Format is text or json; default text.
	Format string `yaml:"format" oneof:"text json" default:"text"`
	// MaxPerSecond is how many lines a second are logged of what clients and upstreams do; one text has at most a quarter of them. Lines
	// about the configuration and the audit log are not counted and never dropped. 1 to 100 000; default 20.
	MaxPerSecond int `yaml:"max_per_second" default:"20" min:"1" max:"100000"`
}

// Audit is the log of what was in force when, and what it did.
type Audit struct {
	Place
	// Dir is the directory that it is written to. Empty, the default: the directory audit in StateDir; without that none is written.
	Dir string `yaml:"dir" opt:"path"`
	// Keep is how long its files are kept. 1 to 36500 days; default 1096 days, which is three years.
	Keep time.Duration `yaml:"keep" default:"1096d" min:"1d" max:"36500d"`
	// MaxFile is how large a file of it becomes before the next is begun. 64 KiB to 1 GiB; default 16 MiB.
	MaxFile Size `yaml:"max_file" default:"16MiB" min:"64KiB" max:"1GiB"`
}

// QueryLog is the log of single queries. Nothing is written unless file, syslog or dnstap says where.
type QueryLog struct {
	Place
	// What is logged: refusals, exceptions, observed (what would be refused), or all, which is every query. Default: refusals,
	// exceptions.
	What []string `yaml:"what" oneof:"refusals exceptions observed all" default:"refusals exceptions"`
	// Clients says what stands for a client: pseudonym, of which there is another each day; truncated, its /24 or /48; or none. Default:
	// pseudonym. A client's address is logged in an incident only.
	Clients string `yaml:"clients" oneof:"pseudonym truncated none" default:"pseudonym"`
	// KeyFile has the key, 32 to 4096 octets, by which servers that share it give a client the same pseudonym. Empty, the default: each
	// has a key of its own in memory, another one each day and after each start.
	KeyFile string `yaml:"key_file" opt:"path"`

	File     QueryFile   `yaml:"file"`
	Syslog   QuerySyslog `yaml:"syslog"`
	Dnstap   QueryDnstap `yaml:"dnstap"`
	Incident Incident    `yaml:"incident"`
}

// QueryFile is the query log as JSON lines.
type QueryFile struct {
	Place
	// Path is the file that is written to. Empty, the default: none.
	Path string `yaml:"path" opt:"path"`
	// MaxSize is how large it becomes before the next is begun, which happens at midnight in UTC too. 64 KiB to 16 GiB; default 64 MiB.
	MaxSize Size `yaml:"max_size" default:"64MiB" min:"64KiB" max:"16GiB"`
	// MaxTotal is how large all of its files become before the oldest is removed: twice MaxSize or more. 1 MiB to 1 TiB; default 1 GiB.
	MaxTotal Size `yaml:"max_total" default:"1GiB" min:"1MiB" max:"1024GiB"`
	// Keep is how long a file is kept after the next was begun. 1 to 3660 days; default 30 days.
	Keep time.Duration `yaml:"keep" default:"30d" min:"1d" max:"3660d"`
}

// QuerySyslog is the query log as messages of syslog (RFC 5424).
type QuerySyslog struct {
	Place
	// Address is where they are sent. "off", the default: nowhere.
	Address Remote `yaml:"address" opt:"off" default:"off"`
	// Facility is the facility of all of them. Default: daemon.
	Facility string `yaml:"facility" oneof:"user daemon auth authpriv local0 local1 local2 local3 local4 local5 local6 local7" default:"daemon"`
}

// QueryDnstap is the query log as dnstap.
type QueryDnstap struct {
	Place
	// Address is the reader, over a unix socket or TCP. "off", the default: none.
	Address Remote `yaml:"address" opt:"off" default:"off"`
}

// Incident bounds the time in which queries are logged with the addresses of clients: `cordon incident`.
type Incident struct {
	Place
	// Max is how long one may last. 1 minute to 24 hours, the default.
	Max time.Duration `yaml:"max" default:"24h" min:"1m" max:"24h"`
	// Keep is how long its log is kept after the last query in it. 1 hour to 90 days; default 7 days.
	Keep time.Duration `yaml:"keep" default:"7d" min:"1h" max:"90d"`
}

// StructuredErrors are Structured DNS Errors (draft-ietf-dnsop-structured-dns-error), for which there is no number yet.
type StructuredErrors struct {
	Place
	// Option is the EDNS option code by which a client asks for them. 1 to 65535, such as 65001 of those for experiments; "off", 0, the
	// default: nobody gets them.
	Option int `yaml:"option" opt:"off" default:"off" min:"1" max:"65535"`
	// Organization is who runs this server, as refused clients are told it. Empty, the default: they are not told.
	Organization string `yaml:"organization"`
}
