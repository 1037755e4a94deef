# Everything this daemon can receive, process and export. One line each, sorted.

