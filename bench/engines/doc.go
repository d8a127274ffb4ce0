// Command engines runs the pipeline of a completion, six steps that do nothing, on two engines that
// keep their state in PostgreSQL: River and DBOS Transact. It is the denominator of the row "engines"
// of `go run ./bench`, which builds it and starts it once for each round:
//
//	engines -engine river -database postgres://… -round 1 -n 300
//
// It writes one line of JSON per round, see result. Schemas are created where they are missing, and
// pipelines that are not counted warm up connections and caches.
//
// It is a module of its own: two engines that the product does not use stay out of its go.mod.
package main
