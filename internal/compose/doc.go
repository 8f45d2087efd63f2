// Package compose stands for the user's own Docker Compose. It resolves the
// project in-process exactly as Compose will, knows what `down` will then ask
// the engine to remove, and runs the child with the user's arguments, its
// signals and its terminal. It is the only package that imports compose-go.
//
// The child's arguments are never added to, dropped or reordered: adding -p
// alone would change which volumes go.
package compose
