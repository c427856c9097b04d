# Oracle of silhouettes (cluster) and of paired means (stats): writes explanation.json.
# Run here: Rscript explanation.R
# Wilcoxon's test is exact without ties up to 49 pairs, else normal with continuity correction, as in R.
suppressMessages({
  library(cluster)
  library(jsonlite)
})
set.seed(1987)
silhouettes <- lapply(1:4, function(k) {
  labels <- rep(seq_len(k + 1), length.out = 10 + 5 * k)
  features <- matrix(round(rnorm(length(labels) * 3) + 0.5 * labels, c(6, 0)[k %% 2 + 1]), ncol = 3)
  list(features = features, labels = labels, silhouette = silhouette(labels, dist(features))[, "sil_width"])
})
paired <- lapply(1:6, function(k) {
  n <- c(8, 20, 70)[k %% 3 + 1]
  digits <- if (k > 3) 1 else 9
  a <- round(runif(n), digits)
  b <- round(runif(n) * 0.9, digits)
  if (k > 3) a[1] <- b[1]
  apart <- round(a - b, 9)
  apart <- apart[apart != 0]
  exact <- length(apart) <= 50 && !anyDuplicated(abs(apart))
  t <- t.test(a, b, paired = TRUE)
  list(a = a, b = b, p = wilcox.test(apart, exact = exact, correct = TRUE)$p.value,
       difference = unname(t$estimate), t_interval = as.numeric(t$conf.int))
})
write_json(list(made_by = list(R = R.version.string, cluster = as.character(packageVersion("cluster"))),
                silhouettes = silhouettes, paired = paired), "explanation.json", digits = NA, auto_unbox = TRUE)
