// Package guard answers a Docker Engine that asks, by its authorization protocol,
// before it does anything and again after it:
//
//	AuthZReq -> Call: what it destroys -> look -> policy -> pending event, durable -> set aside -> yes
//	AuthZRes -> look -> put back what stayed -> outcome
//
// A call that destroys volumes is allowed only when its pending event is durable.
// If anything else goes wrong with such a call, it is refused; every other call is
// allowed without a look. The engine identifies a call, before and after, by its
// method, path and user and nothing else, so calls that concern one volume are
// let through one after the other.
//
// When the engine or this process ends between the two, the operation stays
// unfinished, and is settled by looking, when both are back.
//
// https://docs.docker.com/engine/extend/plugins_authorization/
package guard
