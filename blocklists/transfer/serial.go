package transfer

// newer says whether serial a is newer than b (RFC 1982, section 3.2): serials go round, and of two that are 2^31 apart neither is
// newer.
func newer(a, b uint32) bool {
	return a != b && a-b < 1<<31
}
