package main

import "regexp"

// engine is one row of the table; with.sh knows by its name how to run it.
type engine struct {
	name, what string
	slow       bool // it takes longest, and begins first
}

var engines = []engine{
	{"debian", "Engine 20.10 (Debian), Compose v5", false},
	{"engine29", "Engine 29, overlay2, Compose v5", false},
	{"containerd", "Engine 29, containerd image store, Compose v2.40", false},
	{"rootless", "Engine 29, rootless, as an ordinary user", false},
	{"ssh", "`DOCKER_HOST=ssh://…`", true},
	{"ssh-context", "`ssh://…` by a docker context", true},
	{"tls", "`DOCKER_HOST=tcp://…` with TLS", false},
	{"tls-context", "TLS by a docker context", false},
	{"podman", "Podman 4.3 (Debian), its Docker socket", false},
}

// feature is one column of the table: the tests whose names match show it.
type feature struct {
	name  string
	tests *regexp.Regexp
}

var features = []feature{
	{"teardown as Compose", regexp.MustCompile(`^TestDifferential/`)},
	{"export, restore", regexp.MustCompile(`^Test(Export|Restore)`)},
	{"keep, undo directly", regexp.MustCompile(`^Test(Undo|Keeping|Trash|Kept)\w*/(all/\d/)?directly`)},
	{"keep, undo by helper", regexp.MustCompile(`^Test(Undo|Keeping|Trash|Kept)\w*/(all/\d/)?helper`)},
	{"prune", regexp.MustCompile(`^TestPrune`)},
	{"watch", regexp.MustCompile(`^TestWatch`)},
	{"provider", regexp.MustCompile(`^Test(Provider|TwoProviders)`)},
	{"plugin", regexp.MustCompile(`^TestCLIPlugin`)},
	{"guard", regexp.MustCompile(`^TestGuard`)},
	{"signals", regexp.MustCompile(`^Test(Signal|SecondSignal|RunSignals)`)},
}

// The tests that are run, as go test -run takes them. What is left out is about
// the log or the screen, whatever the engine.
const (
	all = "^Test(Differential|Export(BeforeTeardown|BothWays|ByHand|Disturbed|Fails|Interrupted|LongPaths|OfHeldVolume|OtherVolumes|Sizes|s.*)|Restore(Refuses|Spoilt|Killed|OverwriteKilled)" +
		"|Undo|UndoFidelity|UndoInTheWay|UndoMeanwhile|UndoIsCompleted|KeepingSurvivors|Trash.*|KeptAndKilled" +
		"|Prune|Watch.*|Provider.*|TwoProviders|CLIPlugin.*|Guard.*|Signal(WithoutTerminal|OnTerminal|While.*)|SecondSignalIsPassedOn|RunSignals" +
		"|WhichEngine|EngineStopsInMidTeardown|InventoryJSON|NoVolumes|Protected|RunOnEngine)$"
	quick = "^TestDifferential$/^(named,_anonymous,_network|in_use_by_a_stranger|anonymous_volume_of_a_recreated_container|labels_mode|one_service,_its_dependency_runs_on|--rmi_all|external_network)$" +
		"|^Test(ExportBeforeTeardown|RestoreRefuses|Undo|KeepingSurvivors|Prune|Watch|CLIPlugin|SignalWithoutTerminal|Guard)$" +
		"|^TestProvider$/(down_with_volumes|held)"
)
