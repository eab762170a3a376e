/* What stands where a table has no rows yet. */
function paragraph(className, words) {
  const made = document.createElement("p");
  made.className = className;
  made.textContent = words;
  return made;
}

/* An empty state: the class of its icon, its title, and what to do first. */
export function emptyState([icon, title, words]) {
  const made = document.createElement("div");
  made.className = `empty ${icon}`;
  made.append(paragraph("empty-title", title), paragraph("empty-words", words));
  return made;
}

export const balanceTables = { emptyState };
