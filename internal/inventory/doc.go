// Package inventory holds the nouns of a teardown and the decisions about them:
// what the engine has (Snapshot), what the project declares (Model), what will
// become of each resource and why (Plan), how two looks differ (Changes), and
// what really happened (Classify). It does no input or output: every function is
// pure, over plain values.
package inventory
