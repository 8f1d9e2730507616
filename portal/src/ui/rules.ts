/** The shortest password the server takes (`api-types`, `ClaimBreakglass`). */
export const SHORTEST_PASSWORD = 12;
