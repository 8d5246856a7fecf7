// Package failover rules on links and plans what they carry.
package failover
