// Package teardown is the heart of the program: it decides what a teardown will
// destroy, keeps the order in which that is recorded and done, and says
// afterwards what really happened.
//
// The decisions are pure functions over plain values. Plan predicts a fate for
// every resource from the project (Model) and the engine's state (Snapshot);
// Classify compares the state before with the state after and gives the
// outcome. Run keeps the order:
//
//	look -> show -> ask -> pending event, durable -> Compose -> look -> outcome event
//
// Without a durable pending event nothing is destroyed. The interfaces that the
// order needs (engine, Compose, log, screen) stand here, beside their consumer.
package teardown
