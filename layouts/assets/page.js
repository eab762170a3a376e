/* What modules give each other that import each other. */

export const page = {};
