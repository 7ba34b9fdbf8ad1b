/* Start -------------------------------------------------------------------------------------- */

contents();
folds();
if (byId("explorer")) {
  const explored = readObjects();
  const drawn = drawing(explored);
  dialog(explored, drawn, gallery(explored, drawn));
}
tables();
tips();
