package main

import "countersign/bench/table"

// engines are the rows that say openly that they were not measured.
func engines() []table.Row {
	const stated = "stated in the issue that set these bounds, not measured here: Temporal costs 2 to 3 ms of CPU per history event; " +
		"we pay it for what operators see, and spend as few events as we can"
	why := "that pipeline does not exist: neither engine is among our modules, and an honest figure needs the whole pipeline written a second and a third time"
	return []table.Row{
		{Name: rowEngines, Measure: "completions/s over the same pipeline on River, durability on", NotMeasured: why, Record: "0.085, " + stated},
		{Name: rowEngines, Measure: "completions/s over the same pipeline on DBOS, durability on", NotMeasured: why, Record: "0.066, " + stated},
	}
}
