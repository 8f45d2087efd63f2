package archive

const noWait = 0
