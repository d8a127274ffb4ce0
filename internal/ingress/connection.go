package ingress

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"countersign/internal/journal"
)

// testConnection answers the LMS's "test connection": GET or OPTIONS on any URL of the source, signed
// over the empty body. It checks what a delivery would be checked for and writes nothing (R19, R189).
func (i *Ingress) testConnection(c *gin.Context, x *exchange) *problem {
	if p := i.find(c, x); p != nil {
		return p
	}
	if p := i.verify(c, x); p != nil {
		return p
	}
	x.verdict = journal.VerdictTest
	c.Header("Allow", "POST, GET, OPTIONS")
	c.JSON(http.StatusOK, gin.H{"verdict": journal.VerdictTest, "platform": x.source.Platform})
	return nil
}
