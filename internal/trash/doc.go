// Package trash sets volumes aside instead of destroying them, brings them back,
// and deletes them for good.
//
// A volume of the engine's own driver is a directory, <docker root>/volumes/NAME,
// whose _data holds its files. Renaming _data away, even while a container runs,
// keeps all of it: the container's mount follows the directory, so that what is
// written at shutdown is in it too; the engine then removes the empty rest. To
// bring it back, the engine creates a volume of that name, and _data is renamed into
// it. Both take the same short time whatever the size.
//
//	<docker root>/ccdestroy-trash/v1/OPERATION/VOLUME/entry.json
//	<docker root>/ccdestroy-trash/v1/OPERATION/VOLUME/_data
//
// entry.json comes first and goes last; until _data is there, the entry means
// nothing. So the data is in exactly one of two places, wherever this stops.
//
// What is done to the file system is one Request, performed here by root on the
// engine's host, or by this very executable in a short-lived container where the
// directory cannot be reached otherwise.
package trash
