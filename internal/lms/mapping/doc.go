// Package mapping says from where in an event each fact of a completion is read. The default
// mapping of a platform and an administrator's own are the same thing, so any field can be overridden per
// tenant: a Target gets the value at an RFC 9535 JSONPath, which goes through the transforms that Activate
// LMS's administrators know (dateFormat, statusMap, concat, omitIfNull, toString, toInt; chained with "|").
//
//	$.result  ──path──►  "OK"  ──statusMap:OK=true,NOT OK=false──►  "true"  ──Bool──►  passed
//
// Mistakes in a mapping are found when it is loaded, all at once, with the byte where they are. What an event
// holds in place of what was wanted is a problem of that event; its text names paths and never values.
//
// The vendor documents the names of the transforms, the "|", and one example of each. Everything
// more exact is ours, and so is what goes beyond it: targets, const, parse and zone, completionWhen.
package mapping
