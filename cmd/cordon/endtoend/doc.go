// Package endtoend has the tests that run the program among real servers and clients, as administrators and clients meet it: over
// sockets, files, signals and commands. They know nothing of its insides: what they run is built from the source, or any other that
// CORDON_E2E_PROGRAM names.
//
// CORDON_E2E=1 switches the tests named TestE2E on, and CORDON_SOAK=10m the soak test, for so long; both need Linux, and
// the first Debian's servers and tools, which .ci/run installs.
//
// Not its job: to test protocol behaviour with scripted upstreams and a fake clock (testdata/scenarios of cmd/cordon), or what a
// command says (testdata/script).
package endtoend
