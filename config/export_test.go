package config

// OpenRegular is openRegular, for a race that no test can run.
var OpenRegular = openRegular
