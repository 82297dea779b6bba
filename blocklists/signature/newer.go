package signature

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Newer returns an error if going from the signature before to the signature now would be going back: somebody who can't sign may
// still hand out an old version, with its old signature. Both must have been opened with the publisher's key; before is the zero
// value if there was none. A second signature of the same second passes.
//
// A publisher who signed with a clock that was ahead must sign with a later time from then on (minisign -t timestamp:…).
func Newer(before, now Signature) error {
	switch {
	case before.Time.IsZero():
		return nil
	case now.Time.IsZero():
		return fmt.Errorf("compare signatures: this one does not state when it was made, the one before is of %s: "+
			"want a trusted comment with timestamp:SECONDS, as minisign writes by itself", before.Time.Format(time.RFC3339))
	case now.Time.Before(before.Time):
		return fmt.Errorf("compare signatures: this one was made on %s, the one before on %s: "+
			"it is an older version, want one that is not", now.Time.Format(time.RFC3339), before.Time.Format(time.RFC3339))
	}
	return nil
}

// lastSecond is the end of the year 9999, in seconds since 1970.
const lastSecond = 253402300799

// timeOf is the time in a trusted comment: that of the first of its fields, with blanks between them, that says timestamp:SECONDS.
func timeOf(comment string) time.Time {
	for field := range strings.FieldsSeq(comment) {
		text, ok := strings.CutPrefix(field, "timestamp:")
		if !ok {
			continue
		}
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 0 && seconds <= lastSecond {
			return time.Unix(seconds, 0).UTC()
		}
		break
	}
	return time.Time{}
}
