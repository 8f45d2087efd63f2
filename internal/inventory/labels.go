package inventory

// Labels that Compose and the engine set.
const (
	labelService    = "com.docker.compose.service"
	labelNetwork    = "com.docker.compose.network"
	labelOneOff     = "com.docker.compose.oneoff"
	labelConfigHash = "com.docker.compose.config-hash"
	labelDependsOn  = "com.docker.compose.depends_on"
	labelHook       = "com.docker.compose.hook"
	labelRelay      = "com.docker.compose.relay-network"

	// LabelProject on a container, volume or network is the name of its project.
	LabelProject = "com.docker.compose.project"
	// LabelVolume on a volume is its key in the Compose files.
	LabelVolume = "com.docker.compose.volume"
	// LabelAnonymous on a volume says that the engine named it (Engine 23 on).
	LabelAnonymous = "com.docker.volume.anonymous"
	// LabelProtect on a volume, with the value true, makes a teardown refuse.
	LabelProtect = "ccdestroy.protect"
	// LabelHelper marks a container that reads or writes volumes for an export
	// or a restore. LabelHelperLock is the path of its operation's lock, on the
	// host that LabelHelperHost names: when that can be taken, or is no longer
	// there, the helper is a leftover.
	LabelHelper     = "io.ccdestroy.helper"
	LabelHelperLock = "io.ccdestroy.lock"
	LabelHelperHost = "io.ccdestroy.host"
)
