// Package machine reads what the kernel says of the box itself, for package doctor to judge: clock, disk, power, device files and
// their permissions. It opens no device and sends nothing. What cannot be read is unknown; nothing here fails.
//
//	clock        adjtimex(2) without setting anything; where that is forbidden (a unit with ProtectClock=), the mark that
//	             systemd-timesyncd leaves behind
//	disk         statfs(2), and one small file that is written, made to last and removed; given up after two seconds
//	power        /sys/class/power_supply, and voltage alarms in /sys/class/hwmon
//	permissions  stat(2) and access(2) of files; one socket bound to an interface, and closed
package machine
