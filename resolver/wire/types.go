package wire

// Record types that Cordon has something to do with; every other type is octets to it (RFC 3597).
const (
	TypeA     = 1
	TypeNS    = 2
	TypeCNAME = 5
	TypeSOA   = 6
	TypePTR   = 12
	TypeHINFO = 13
	TypeMX    = 15
	TypeTXT   = 16
	TypeAAAA  = 28
	TypeSRV   = 33
	TypeDNAME = 39
	TypeOPT   = 41
	TypeDS    = 43
	TypeRRSIG = 46
	TypeNSEC  = 47
	TypeNSEC3 = 50
	TypeSVCB  = 64
	TypeHTTPS = 65
	TypeTKEY  = 249
	TypeTSIG  = 250
	TypeIXFR  = 251
	TypeAXFR  = 252
	TypeMAILB = 253
	TypeMAILA = 254
	TypeANY   = 255
	ClassINET = 1
)

// Rcode is a response code; above 15 its high bits travel in the OPT record (RFC 6891, section 6.1.3).
type Rcode uint16

// The response codes that Cordon sends or understands.
const (
	Success   Rcode = 0
	FormErr   Rcode = 1
	ServFail  Rcode = 2
	NXDomain  Rcode = 3
	NotImp    Rcode = 4
	Refused   Rcode = 5
	BadVers   Rcode = 16
	rcodeMask       = 0xF
)

// EDECode is an extended DNS error (RFC 8914, section 4).
type EDECode uint16

// The extended DNS errors that Cordon sends.
const (
	EDEStaleAnswer      EDECode = 3
	EDEStaleNXDomain    EDECode = 19
	EDENotReady         EDECode = 14
	EDEForged           EDECode = 4
	EDEBlocked          EDECode = 15
	EDECensored         EDECode = 16
	EDEProhibited       EDECode = 18
	EDENoReachableAuth  EDECode = 22
	EDENetworkError     EDECode = 23
	EDEInvalidData      EDECode = 24
	EDENotAuthoritative EDECode = 20
	EDENotSupported     EDECode = 21
	EDEOther            EDECode = 0
	EDENone             EDECode = 0xFFFF // no extended error goes with the answer
)

// EDE is an extended DNS error with its text (RFC 8914, section 2). It is sent only to who sent OPT. The text is Lead and Text, one
// behind the other; where there is no room for both it is Short, and where there is none for that it is empty. Each is UTF-8, not
// ended by NUL, and may be empty.
type EDE struct {
	Code  EDECode
	Lead  string // so that texts that begin alike are kept once
	Text  string
	Short string
}
