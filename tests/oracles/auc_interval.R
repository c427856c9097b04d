# Oracle of AUC intervals, the contrast of several AUCs and clustered AUCs: writes auc_interval.json.
# Run here, after proc.R: Rscript auc_interval.R
# Written from the formulas of the papers on the data of proc.json.gz; variances and covariances come from pROC.
suppressMessages({
  library(pROC)
  library(jsonlite)
})
sets <- fromJSON(gzfile("proc.json.gz"), simplifyVector = TRUE, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)$data_sets
z <- qnorm(0.975)
quietly <- function(expr) suppressWarnings(suppressMessages(expr))

# Hanley and McNeil 1982, eq. 1 and 2: the variance and Wald's interval with it.
hanley_mcneil <- function(a, m, n) {
  q1 <- a / (2 - a)
  q2 <- 2 * a^2 / (1 + a)
  (a * (1 - a) + (m - 1) * (q1 - a^2) + (n - 1) * (q2 - a^2)) / (m * n)
}
# Newcombe 2006, method 5: N* = (m + n) / 2 stands for m and n in that variance, and the bounds solve
# (A - theta)^2 = z^2 V(theta).
newcombe <- function(a, m, n) {
  mean_size <- (m + n) / 2
  gap <- function(t) {
    v <- t * (1 - t) / (m * n) * (1 + (mean_size - 1) * ((1 - t) / (2 - t) + t / (1 + t)))
    (a - t)^2 - z^2 * v
  }
  solve_in <- function(from, to) uniroot(gap, c(from, to), tol = 1e-16, maxiter = 10000)$root
  c(if (a == 0) 0 else solve_in(0, min(a, 1 - 1e-8)), if (a == 1) 1 else solve_in(max(a, 1e-8), 1))
}
intervals <- lapply(sets, function(d) {
  y <- as.numeric(strsplit(d$y, "")[[1]])
  m <- sum(y)
  n <- sum(1 - y)
  rocs <- lapply(d$scores, function(x) roc(y, x, levels = c(0, 1), direction = "<", quiet = TRUE))
  # The trapezoids of pROC may end a hair from 1 or 0.
  a <- mean(outer(d$scores[[1]][y == 1], d$scores[[1]][y == 0], function(p, q) (p > q) + (p == q) / 2))
  v <- if (m > 1 && n > 1) quietly(var(rocs[[1]], method = "delong")) else NA
  logit <- if (a > 0 && a < 1 && !is.na(v) && v > 0) plogis(qlogis(a) + c(-1, 1) * z * sqrt(v) / (a * (1 - a))) else c(NA, NA)
  hm <- hanley_mcneil(a, m, n)
  contrast <- NULL
  if (m > 1 && n > 1) {
    s <- sapply(rocs, function(p) sapply(rocs, function(q) quietly(cov(p, q, method = "delong"))))
    l <- rbind(c(1, -1, 0), c(0, 1, -1))
    spread <- l %*% s %*% t(l)
    # Left out where the covariance is singular or nearly: the inverse then is mostly rounding.
    if (rcond(spread) > 1e-4) {
      effect <- l %*% sapply(rocs, function(r) as.numeric(auc(r)))
      chi <- as.numeric(t(effect) %*% solve(spread) %*% effect)
      contrast <- c(chi, pchisq(chi, 2, lower.tail = FALSE))
    }
  }
  list(auc = a, hm_variance = hm, hm = c(max(a - z * sqrt(hm), 0), min(a + z * sqrt(hm), 1)), logit = logit,
       newcombe = newcombe(a, m, n), contrast = contrast)
})

# Obuchowski 1997, section 3, summed pair by pair and cluster by cluster.
set.seed(1997)
psi <- function(x, y) if (x > y) 1 else if (x == y) 0.5 else 0
clustered <- lapply(1:12, function(k) {
  patients <- 10 + 2 * k
  cluster <- rep(seq_len(patients), sample(1:3, patients, TRUE))
  y <- rbinom(length(cluster), 1, 0.4)
  scores <- lapply(1:2, function(j) round(rnorm(patients)[cluster] + rnorm(length(cluster)) + y, k %% 3))
  pos <- which(y == 1)
  neg <- which(y == 0)
  m <- length(pos)
  n <- length(neg)
  ids <- unique(cluster)
  parts <- lapply(scores, function(s) {
    v10 <- sapply(pos, function(i) mean(sapply(neg, function(j) psi(s[i], s[j]))))
    v01 <- sapply(neg, function(j) mean(sapply(pos, function(i) psi(s[i], s[j]))))
    area <- mean(v10)
    list(area = area,
         x = sapply(ids, function(id) sum(v10[cluster[pos] == id]) - sum(cluster[pos] == id) * area),
         y = sapply(ids, function(id) sum(v01[cluster[neg] == id]) - sum(cluster[neg] == id) * area))
  })
  i10 <- length(unique(cluster[pos]))
  i01 <- length(unique(cluster[neg]))
  total <- length(ids)
  covariance <- sapply(parts, function(p) sapply(parts, function(q) {
    i10 / ((i10 - 1) * m) * sum(p$x * q$x) / m + i01 / ((i01 - 1) * n) * sum(p$y * q$y) / n +
      total / (total - 1) * (sum(p$x * q$y) + sum(q$x * p$y)) / (m * n)
  }))
  list(y = y, cluster = cluster, scores = scores, aucs = sapply(parts, `[[`, "area"), covariance = covariance)
})

# Hanley and McNeil 1982, table III: subjects of either class to tell two areas apart, one-sided 5%, in their
# form (twice the variance at the first area under H0) and with their two-figure quantiles, truncated.
area_variance <- function(a) a / (2 - a) + 2 * a^2 / (1 + a) - 2 * a^2
table_three <- function(first, second, z_beta)
  ((1.645 * sqrt(2 * area_variance(first)) + z_beta * sqrt(area_variance(first) + area_variance(second))) / (second - first))^2
sizes <- lapply(list(c(0.7, 0.75), c(0.75, 0.8), c(0.8, 0.9)), function(a)
  list(first = a[1], second = a[2], size = sapply(c(0.84, 1.28, 1.645), function(b) table_three(a[1], a[2], b)),
       exchanged = sapply(c(0.84, 1.28, 1.645), function(b) table_three(a[2], a[1], b))))

write_json(list(made_by = list(R = R.version.string, pROC = as.character(packageVersion("pROC"))),
                intervals = intervals, clustered = clustered, sizes = sizes),
           "auc_interval.json", digits = NA, auto_unbox = TRUE, na = "null")
