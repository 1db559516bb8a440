BEGIN TRANSACTION;
CREATE TABLE answer_distribution (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	module_id VARCHAR(255) NOT NULL, 
	part_id VARCHAR(255) NOT NULL, 
	correct BOOLEAN NOT NULL, 
	first_response_count INTEGER NOT NULL, 
	last_response_count INTEGER NOT NULL, 
	value_id VARCHAR(255), 
	answer_value_text TEXT, 
	answer_value_numeric DOUBLE, 
	variant INTEGER, 
	problem_display_name TEXT, 
	question_text TEXT, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE course_activity (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	interval_start DATETIME NOT NULL, 
	interval_end DATETIME NOT NULL, 
	label VARCHAR(255) NOT NULL, 
	count INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_activity UNIQUE (course_id, interval_end, label)
);
INSERT INTO "course_activity" VALUES(1,'course-v1:HarborX+NAV101+R3','2026-02-16 00:00:00.000000','2026-02-23 00:00:00.000000','ACTIVE',3,'2026-11-24 20:28:36.000000');
INSERT INTO "course_activity" VALUES(2,'course-v1:HarborX+NAV101+R3','2026-02-16 00:00:00.000000','2026-02-23 00:00:00.000000','ATTEMPTED_PROBLEM',2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_activity" VALUES(3,'course-v1:HarborX+NAV101+R3','2026-02-16 00:00:00.000000','2026-02-23 00:00:00.000000','PLAYED_VIDEO',2,'2026-11-24 20:28:36.000000');
CREATE TABLE course_enrollment_birth_year_daily (
	id INTEGER NOT NULL, 
	date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	birth_year INTEGER, 
	count INTEGER, 
	cumulative_count INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_enrollment_birth_year_daily UNIQUE (course_id, date, birth_year)
);
INSERT INTO "course_enrollment_birth_year_daily" VALUES(1,'2026-02-26','course-v1:DeltaU+STAT-A+self',1981,1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_birth_year_daily" VALUES(2,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1',1986,1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_birth_year_daily" VALUES(3,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1',1991,1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_birth_year_daily" VALUES(4,'2026-02-26','course-v1:HarborX+NAV101+R3',1977,1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_birth_year_daily" VALUES(5,'2026-02-26','course-v1:HarborX+NAV101+R3',1981,1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_birth_year_daily" VALUES(6,'2026-02-26','course-v1:HarborX+NAV101+R3',1984,1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_birth_year_daily" VALUES(7,'2026-02-26','course-v1:HarborX+NAV101+R3',2007,1,1,'2026-11-24 20:28:36.000000');
CREATE TABLE course_enrollment_daily (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	date DATE NOT NULL, 
	count INTEGER, 
	cumulative_count INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_enrollment_daily UNIQUE (course_id, date)
);
INSERT INTO "course_enrollment_daily" VALUES(1,'course-v1:DeltaU+STAT-A+self','2026-02-24',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(2,'course-v1:DeltaU+STAT-A+self','2026-02-25',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(3,'course-v1:DeltaU+STAT-A+self','2026-02-26',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(4,'course-v1:HarborX+LIGHT2.1x+R1','2026-02-24',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(5,'course-v1:HarborX+LIGHT2.1x+R1','2026-02-25',2,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(6,'course-v1:HarborX+LIGHT2.1x+R1','2026-02-26',2,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(7,'course-v1:HarborX+NAV101+R3','2026-02-21',2,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(8,'course-v1:HarborX+NAV101+R3','2026-02-22',2,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(9,'course-v1:HarborX+NAV101+R3','2026-02-23',3,3,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(10,'course-v1:HarborX+NAV101+R3','2026-02-24',3,3,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(11,'course-v1:HarborX+NAV101+R3','2026-02-25',4,4,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_daily" VALUES(12,'course-v1:HarborX+NAV101+R3','2026-02-26',4,4,'2026-11-24 20:28:36.000000');
CREATE TABLE course_enrollment_education_level_daily (
	id INTEGER NOT NULL, 
	date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	education_level VARCHAR(16), 
	count INTEGER, 
	cumulative_count INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_enrollment_education_level_daily UNIQUE (course_id, date, education_level)
);
INSERT INTO "course_enrollment_education_level_daily" VALUES(1,'2026-02-26','course-v1:DeltaU+STAT-A+self','other',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_education_level_daily" VALUES(2,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1','bachelors',2,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_education_level_daily" VALUES(3,'2026-02-26','course-v1:HarborX+NAV101+R3','associates',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_education_level_daily" VALUES(4,'2026-02-26','course-v1:HarborX+NAV101+R3','bachelors',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_education_level_daily" VALUES(5,'2026-02-26','course-v1:HarborX+NAV101+R3','doctorate',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_education_level_daily" VALUES(6,'2026-02-26','course-v1:HarborX+NAV101+R3','other',1,1,'2026-11-24 20:28:36.000000');
CREATE TABLE course_enrollment_gender_daily (
	id INTEGER NOT NULL, 
	date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	gender VARCHAR(6), 
	count INTEGER, 
	cumulative_count INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_enrollment_gender_daily UNIQUE (course_id, date, gender)
);
INSERT INTO "course_enrollment_gender_daily" VALUES(1,'2026-02-24','course-v1:DeltaU+STAT-A+self','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(2,'2026-02-25','course-v1:DeltaU+STAT-A+self','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(3,'2026-02-26','course-v1:DeltaU+STAT-A+self','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(4,'2026-02-24','course-v1:HarborX+LIGHT2.1x+R1','m',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(5,'2026-02-25','course-v1:HarborX+LIGHT2.1x+R1','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(6,'2026-02-25','course-v1:HarborX+LIGHT2.1x+R1','m',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(7,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(8,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1','m',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(9,'2026-02-21','course-v1:HarborX+NAV101+R3','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(10,'2026-02-21','course-v1:HarborX+NAV101+R3','m',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(11,'2026-02-22','course-v1:HarborX+NAV101+R3','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(12,'2026-02-22','course-v1:HarborX+NAV101+R3','m',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(13,'2026-02-23','course-v1:HarborX+NAV101+R3','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(14,'2026-02-23','course-v1:HarborX+NAV101+R3','m',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(15,'2026-02-24','course-v1:HarborX+NAV101+R3','f',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(16,'2026-02-24','course-v1:HarborX+NAV101+R3','m',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(17,'2026-02-25','course-v1:HarborX+NAV101+R3','f',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(18,'2026-02-25','course-v1:HarborX+NAV101+R3','m',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(19,'2026-02-26','course-v1:HarborX+NAV101+R3','f',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_gender_daily" VALUES(20,'2026-02-26','course-v1:HarborX+NAV101+R3','m',2,2,'2026-11-24 20:28:35.000000');
CREATE TABLE course_enrollment_location_current (
	id INTEGER NOT NULL, 
	date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	country_code VARCHAR(10), 
	count INTEGER NOT NULL, 
	cumulative_count INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_enrollment_location_current UNIQUE (course_id, date, country_code)
);
INSERT INTO "course_enrollment_location_current" VALUES(1,'2026-02-26','course-v1:DeltaU+STAT-A+self','DE',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(2,'2026-02-26','course-v1:DeltaU+STAT-A+self','IN',1,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(3,'2026-02-26','course-v1:DeltaU+STAT-A+self','JP',0,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(4,'2026-02-26','course-v1:DeltaU+STAT-A+self','TR',0,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(5,'2026-02-26','course-v1:DeltaU+STAT-A+self','US',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(6,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1','IN',2,2,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(7,'2026-02-26','course-v1:HarborX+NAV101+R3','DE',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(8,'2026-02-26','course-v1:HarborX+NAV101+R3','JP',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(9,'2026-02-26','course-v1:HarborX+NAV101+R3','TR',1,1,'2026-11-24 20:28:36.000000');
INSERT INTO "course_enrollment_location_current" VALUES(10,'2026-02-26','course-v1:HarborX+NAV101+R3','US',1,1,'2026-11-24 20:28:36.000000');
CREATE TABLE course_enrollment_mode_daily (
	id INTEGER NOT NULL, 
	date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	mode VARCHAR(255) NOT NULL, 
	count INTEGER, 
	cumulative_count INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_enrollment_mode_daily UNIQUE (course_id, date, mode)
);
INSERT INTO "course_enrollment_mode_daily" VALUES(1,'2026-02-24','course-v1:DeltaU+STAT-A+self','audit',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(2,'2026-02-25','course-v1:DeltaU+STAT-A+self','audit',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(3,'2026-02-26','course-v1:DeltaU+STAT-A+self','audit',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(4,'2026-02-24','course-v1:HarborX+LIGHT2.1x+R1','audit',1,1,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(5,'2026-02-25','course-v1:HarborX+LIGHT2.1x+R1','audit',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(6,'2026-02-26','course-v1:HarborX+LIGHT2.1x+R1','audit',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(7,'2026-02-21','course-v1:HarborX+NAV101+R3','audit',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(8,'2026-02-22','course-v1:HarborX+NAV101+R3','audit',2,2,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(9,'2026-02-23','course-v1:HarborX+NAV101+R3','audit',3,3,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(10,'2026-02-24','course-v1:HarborX+NAV101+R3','audit',3,3,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(11,'2026-02-25','course-v1:HarborX+NAV101+R3','audit',4,4,'2026-11-24 20:28:35.000000');
INSERT INTO "course_enrollment_mode_daily" VALUES(12,'2026-02-26','course-v1:HarborX+NAV101+R3','audit',4,4,'2026-11-24 20:28:35.000000');
CREATE TABLE course_meta_summary_enrollment (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	catalog_course_title VARCHAR(255), 
	catalog_course VARCHAR(255), 
	start_time DATETIME, 
	end_time DATETIME, 
	pacing_type VARCHAR(255), 
	availability VARCHAR(255), 
	enrollment_mode VARCHAR(100) NOT NULL, 
	count INTEGER, 
	count_change_7_days INTEGER, 
	cumulative_count INTEGER, 
	passing_users INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_meta_summary_enrollment UNIQUE (course_id, enrollment_mode)
);
INSERT INTO "course_meta_summary_enrollment" VALUES(1,'course-v1:DeltaU+STAT-A+self',NULL,NULL,NULL,NULL,NULL,NULL,'audit',1,1,1,0,'2026-11-24 20:28:36.000000');
INSERT INTO "course_meta_summary_enrollment" VALUES(2,'course-v1:HarborX+LIGHT2.1x+R1',NULL,NULL,NULL,NULL,NULL,NULL,'audit',2,2,2,0,'2026-11-24 20:28:36.000000');
INSERT INTO "course_meta_summary_enrollment" VALUES(3,'course-v1:HarborX+NAV101+R3',NULL,NULL,NULL,NULL,NULL,NULL,'audit',4,4,4,2,'2026-11-24 20:28:36.000000');
CREATE TABLE course_program_metadata (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	program_id VARCHAR(36) NOT NULL, 
	program_type VARCHAR(32) NOT NULL, 
	program_title VARCHAR(255), 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_course_program_metadata UNIQUE (course_id, program_id)
);
CREATE TABLE enrollment_difference (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	user_id BIGINT NOT NULL, 
	reason VARCHAR(20) NOT NULL, 
	events_mode VARCHAR(100), 
	lms_mode VARCHAR(100), 
	last_event DATETIME, 
	lms_created DATETIME, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_enrollment_difference UNIQUE (course_id, user_id)
);
INSERT INTO "enrollment_difference" VALUES(1,'course-v1:DeltaU+STAT-A+self',104,'only_in_lms',NULL,'audit',NULL,'2026-02-25 00:00:00.000000','2026-11-24 20:28:36.000000');
INSERT INTO "enrollment_difference" VALUES(2,'course-v1:DeltaU+STAT-A+self',106,'only_in_lms',NULL,'audit',NULL,'2026-02-25 00:00:00.000000','2026-11-24 20:28:36.000000');
INSERT INTO "enrollment_difference" VALUES(3,'course-v1:HarborX+NAV101+R3',101,'other_mode','audit','verified','2026-02-23 00:53:36.859810','2026-02-23 00:53:36.859810','2026-11-24 20:28:36.000000');
CREATE TABLE enrollment_reconciliation (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	events_count INTEGER NOT NULL, 
	lms_count INTEGER NOT NULL, 
	only_in_lms INTEGER NOT NULL, 
	only_in_events INTEGER NOT NULL, 
	active_in_lms INTEGER NOT NULL, 
	active_in_events INTEGER NOT NULL, 
	other_mode INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_enrollment_reconciliation UNIQUE (course_id)
);
INSERT INTO "enrollment_reconciliation" VALUES(1,'course-v1:DeltaU+STAT-A+self',1,3,2,0,0,0,0,'2026-11-24 20:28:36.000000');
INSERT INTO "enrollment_reconciliation" VALUES(2,'course-v1:HarborX+LIGHT2.1x+R1',2,2,0,0,0,0,0,'2026-11-24 20:28:36.000000');
INSERT INTO "enrollment_reconciliation" VALUES(3,'course-v1:HarborX+NAV101+R3',4,4,0,0,0,0,1,'2026-11-24 20:28:36.000000');
CREATE TABLE enterprise_user (
	id INTEGER NOT NULL, 
	enterprise_id VARCHAR(32) NOT NULL, 
	lms_user_id INTEGER NOT NULL, 
	enterprise_user_id INTEGER NOT NULL, 
	enterprise_sso_uid VARCHAR(255), 
	user_account_creation_timestamp DATETIME, 
	user_email VARCHAR(255), 
	user_username VARCHAR(255), 
	user_country_code VARCHAR(2), 
	last_activity_date DATE, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_enterprise_user UNIQUE (enterprise_user_id)
);
CREATE TABLE grade_distribution (
	id INTEGER NOT NULL, 
	module_id VARCHAR(255) NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	grade DOUBLE, 
	max_grade DOUBLE, 
	count INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_grade_distribution UNIQUE (course_id, module_id, grade, max_grade)
);
CREATE TABLE module_engagement (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	username VARCHAR(150) NOT NULL, 
	date DATE NOT NULL, 
	entity_type VARCHAR(10) NOT NULL, 
	entity_id VARCHAR(255) NOT NULL, 
	event VARCHAR(30) NOT NULL, 
	count INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_module_engagement UNIQUE (course_id, username, date, entity_type, entity_id, event)
);
CREATE TABLE module_engagement_metric_ranges (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	start_date DATE, 
	end_date DATE, 
	metric VARCHAR(50) NOT NULL, 
	range_type VARCHAR(50) NOT NULL, 
	low_value DOUBLE, 
	high_value DOUBLE, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_module_engagement_metric_ranges UNIQUE (course_id, metric, range_type)
);
CREATE TABLE module_engagement_roster (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	username VARCHAR(150) NOT NULL, 
	start_date DATE, 
	end_date DATE, 
	email VARCHAR(254), 
	name TEXT, 
	enrollment_mode VARCHAR(100), 
	enrollment_date DATE, 
	cohort VARCHAR(255), 
	problem_attempts INTEGER NOT NULL, 
	problems_attempted INTEGER NOT NULL, 
	problems_completed INTEGER NOT NULL, 
	problem_attempts_per_completed DOUBLE, 
	videos_viewed INTEGER NOT NULL, 
	discussion_contributions INTEGER NOT NULL, 
	segments VARCHAR(255) NOT NULL, 
	attempt_ratio_order INTEGER NOT NULL, 
	user_id INTEGER, 
	language TEXT, 
	location TEXT, 
	year_of_birth INTEGER, 
	level_of_education VARCHAR(255), 
	gender VARCHAR(255), 
	mailing_address TEXT, 
	city TEXT, 
	country VARCHAR(255), 
	goals TEXT, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_module_engagement_roster UNIQUE (course_id, username)
);
CREATE TABLE pharos_publication (
	table_name VARCHAR(64) NOT NULL, 
	fingerprint VARCHAR(128) NOT NULL, 
	until DATETIME NOT NULL, 
	last_event DATETIME, 
	version INTEGER NOT NULL, 
	row_count BIGINT NOT NULL, 
	content VARCHAR(64) NOT NULL, 
	published DATETIME NOT NULL, 
	PRIMARY KEY (table_name)
);
INSERT INTO "pharos_publication" VALUES('course_enrollment_mode_daily','741b6c18-8b0b9a6919a3','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,12,'416a1440aa8b7e58ff6e5ac42b0f4851df3c4d7fc0d1b0c19ceab3028bcce571','2026-11-24 20:28:35.968039');
INSERT INTO "pharos_publication" VALUES('course_enrollment_gender_daily','9e400070-ef8309c52fdf','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,20,'3f511d532b82c68c7a272913fbe79eb36da20596f9c48bc1ce643a8c6bebac9a','2026-11-24 20:28:35.984457');
INSERT INTO "pharos_publication" VALUES('course_enrollment_birth_year_daily','bb4d90f7-ef8309c52fdf','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,7,'e0529c74c7ca1ff6d5de30816c68f46decd284e3575946567835f7978411f1eb','2026-11-24 20:28:36.052213');
INSERT INTO "pharos_publication" VALUES('course_enrollment_education_level_daily','20ccf517-ef8309c52fdf','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,6,'e86dfa0f0d2700230941bd4a1c8a94f5ae03b03338817a53778ead4d68a5b9fe','2026-11-24 20:28:36.060507');
INSERT INTO "pharos_publication" VALUES('course_enrollment_location_current','6df28c8d-07f96ebd6d3b','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,10,'878efdb938e04e8b16a679328b8181091aee9acefb6c937e9bba0aa754af7b44','2026-11-24 20:28:36.071758');
INSERT INTO "pharos_publication" VALUES('course_activity','7922c203-1e755dae310c','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,3,'4987962e7e4a37b8bfff49c7f3026643b5d0bea2a8e4d9843337005f5cb7472c','2026-11-24 20:28:36.086090');
INSERT INTO "pharos_publication" VALUES('enrollment_reconciliation','f15d1274-69434beff1dc','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,3,'6d9156559db410e322793707c8f3e64177d2272db64546cbaeb4301845230aaf','2026-11-24 20:28:36.107365');
INSERT INTO "pharos_publication" VALUES('enrollment_difference','0332ab96-69434beff1dc','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,3,'53cf55f99b1c87918367ec34addd3593efd0666e29a226e279b87941e9c33f6b','2026-11-24 20:28:36.121669');
INSERT INTO "pharos_publication" VALUES('course_enrollment_daily','c0df9f28-3517040b3aff','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,12,'7ada0bb2a646ebd493eb424e770caa864b15fe2432ea9c9e7086835a56c7925e','2026-11-24 20:28:36.130206');
INSERT INTO "pharos_publication" VALUES('course_meta_summary_enrollment','1ff6d11b-9b1053bd0c6d','2026-02-27 00:00:00.000000','2026-02-26 20:20:22.330312',1,3,'c93f0b3d9a6dcabdd812247ab394bdbb8c80eff8ad34b1e061828f948a27601c','2026-11-24 20:28:36.148277');
CREATE TABLE pharos_schema_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT pharos_schema_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "pharos_schema_version" VALUES('0003');
CREATE TABLE pharos_token (
	id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	courses TEXT, 
	organizations TEXT, 
	learners BOOLEAN NOT NULL, 
	requests_per_minute INTEGER, 
	created DATETIME NOT NULL, 
	expires DATETIME, 
	revoked DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	UNIQUE (hash)
);
CREATE TABLE sequential_open_distribution (
	id INTEGER NOT NULL, 
	module_id VARCHAR(255) NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	count INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_sequential_open_distribution UNIQUE (course_id, module_id)
);
CREATE TABLE student_engagement_all (
	end_date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	username VARCHAR(255) NOT NULL, 
	days_active INTEGER, 
	problems_attempted INTEGER, 
	problem_attempts INTEGER, 
	problems_correct INTEGER, 
	videos_played INTEGER, 
	forum_posts INTEGER, 
	forum_responses INTEGER, 
	forum_comments INTEGER, 
	forum_upvotes_given INTEGER, 
	forum_downvotes_given INTEGER, 
	forum_upvotes_received INTEGER, 
	forum_downvotes_received INTEGER, 
	textbook_pages_viewed INTEGER, 
	last_subsection_viewed VARCHAR(1000) NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (course_id, username, end_date)
);
CREATE TABLE student_engagement_daily (
	end_date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	username VARCHAR(255) NOT NULL, 
	days_active INTEGER, 
	problems_attempted INTEGER, 
	problem_attempts INTEGER, 
	problems_correct INTEGER, 
	videos_played INTEGER, 
	forum_posts INTEGER, 
	forum_responses INTEGER, 
	forum_comments INTEGER, 
	forum_upvotes_given INTEGER, 
	forum_downvotes_given INTEGER, 
	forum_upvotes_received INTEGER, 
	forum_downvotes_received INTEGER, 
	textbook_pages_viewed INTEGER, 
	last_subsection_viewed VARCHAR(1000) NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (course_id, username, end_date)
);
CREATE TABLE student_engagement_weekly (
	end_date DATE NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	username VARCHAR(255) NOT NULL, 
	days_active INTEGER, 
	problems_attempted INTEGER, 
	problem_attempts INTEGER, 
	problems_correct INTEGER, 
	videos_played INTEGER, 
	forum_posts INTEGER, 
	forum_responses INTEGER, 
	forum_comments INTEGER, 
	forum_upvotes_given INTEGER, 
	forum_downvotes_given INTEGER, 
	forum_upvotes_received INTEGER, 
	forum_downvotes_received INTEGER, 
	textbook_pages_viewed INTEGER, 
	last_subsection_viewed VARCHAR(1000) NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (course_id, username, end_date)
);
CREATE TABLE table_updates (
	id INTEGER NOT NULL, 
	update_id VARCHAR(128) NOT NULL, 
	target_table VARCHAR(128) NOT NULL, 
	inserted DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (update_id)
);
INSERT INTO "table_updates" VALUES(1,'course_enrollment_mode_daily:741b6c18-8b0b9a6919a3','course_enrollment_mode_daily','2026-11-24 20:28:35.000000');
INSERT INTO "table_updates" VALUES(2,'course_enrollment_gender_daily:9e400070-ef8309c52fdf','course_enrollment_gender_daily','2026-11-24 20:28:35.000000');
INSERT INTO "table_updates" VALUES(3,'course_enrollment_birth_year_daily:bb4d90f7-ef8309c52fdf','course_enrollment_birth_year_daily','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(4,'course_enrollment_education_level_daily:20ccf517-ef8309c52fdf','course_enrollment_education_level_daily','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(5,'course_enrollment_location_current:6df28c8d-07f96ebd6d3b','course_enrollment_location_current','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(6,'course_activity:7922c203-1e755dae310c','course_activity','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(7,'enrollment_reconciliation:f15d1274-69434beff1dc','enrollment_reconciliation','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(8,'enrollment_difference:0332ab96-69434beff1dc','enrollment_difference','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(9,'course_enrollment_daily:c0df9f28-3517040b3aff','course_enrollment_daily','2026-11-24 20:28:36.000000');
INSERT INTO "table_updates" VALUES(10,'course_meta_summary_enrollment:1ff6d11b-9b1053bd0c6d','course_meta_summary_enrollment','2026-11-24 20:28:36.000000');
CREATE TABLE tags_distribution (
	id INTEGER NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	org_id VARCHAR(255) NOT NULL, 
	module_id VARCHAR(255) NOT NULL, 
	tag_name VARCHAR(255) NOT NULL, 
	tag_value VARCHAR(255) NOT NULL, 
	total_submissions INTEGER NOT NULL, 
	correct_submissions INTEGER NOT NULL, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE video (
	id INTEGER NOT NULL, 
	pipeline_video_id VARCHAR(255) NOT NULL, 
	course_id VARCHAR(255) NOT NULL, 
	encoded_module_id VARCHAR(255) NOT NULL, 
	duration INTEGER, 
	segment_length INTEGER, 
	users_at_start INTEGER, 
	users_at_end INTEGER, 
	total_viewed_seconds INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_video UNIQUE (pipeline_video_id)
);
CREATE TABLE video_timeline (
	id INTEGER NOT NULL, 
	pipeline_video_id VARCHAR(255) NOT NULL, 
	segment INTEGER NOT NULL, 
	num_users INTEGER, 
	num_views INTEGER, 
	created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT uq_video_timeline UNIQUE (pipeline_video_id, segment)
);
CREATE INDEX ix_course_enrollment_daily_course_id ON course_enrollment_daily (course_id);
CREATE INDEX ix_course_enrollment_daily_course_id_date ON course_enrollment_daily (course_id, date);
CREATE INDEX ix_course_enrollment_mode_daily_course_id ON course_enrollment_mode_daily (course_id);
CREATE INDEX ix_course_enrollment_mode_daily_course_id_date ON course_enrollment_mode_daily (course_id, date);
CREATE INDEX ix_course_meta_summary_enrollment_course_id ON course_meta_summary_enrollment (course_id);
CREATE INDEX ix_course_activity_course_id_label ON course_activity (course_id, label);
CREATE INDEX ix_course_activity_interval_end ON course_activity (interval_end);
CREATE INDEX ix_table_updates_target_table ON table_updates (target_table);
CREATE INDEX ix_answer_distribution_course_id_module_id ON answer_distribution (course_id, module_id);
CREATE INDEX ix_answer_distribution_course_id ON answer_distribution (course_id);
CREATE INDEX ix_answer_distribution_part_id ON answer_distribution (part_id);
CREATE INDEX ix_answer_distribution_module_id ON answer_distribution (module_id);
CREATE INDEX ix_course_enrollment_education_level_daily_course_id_date ON course_enrollment_education_level_daily (course_id, date);
CREATE INDEX ix_course_enrollment_education_level_daily_course_id ON course_enrollment_education_level_daily (course_id);
CREATE INDEX ix_course_enrollment_gender_daily_course_id ON course_enrollment_gender_daily (course_id);
CREATE INDEX ix_course_enrollment_gender_daily_course_id_date ON course_enrollment_gender_daily (course_id, date);
CREATE INDEX ix_course_enrollment_location_current_course_id_date ON course_enrollment_location_current (course_id, date);
CREATE INDEX ix_course_enrollment_location_current_course_id ON course_enrollment_location_current (course_id);
CREATE INDEX ix_course_program_metadata_course_id ON course_program_metadata (course_id);
CREATE INDEX ix_enterprise_user_enterprise_id ON enterprise_user (enterprise_id);
CREATE INDEX ix_grade_distribution_module_id ON grade_distribution (module_id);
CREATE INDEX ix_grade_distribution_course_id ON grade_distribution (course_id);
CREATE INDEX ix_module_engagement_course_id_username_date ON module_engagement (course_id, username, date);
CREATE INDEX ix_module_engagement_username_entity_type ON module_engagement (username, entity_type);
CREATE INDEX ix_module_engagement_date ON module_engagement (date);
CREATE INDEX ix_module_engagement_metric_ranges_course_id_metric ON module_engagement_metric_ranges (course_id, metric);
CREATE INDEX ix_module_engagement_roster_course_id ON module_engagement_roster (course_id);
CREATE INDEX ix_sequential_open_distribution_course_id ON sequential_open_distribution (course_id);
CREATE INDEX ix_sequential_open_distribution_module_id ON sequential_open_distribution (module_id);
CREATE INDEX ix_tags_distribution_course_id_module_id ON tags_distribution (course_id, module_id);
CREATE INDEX ix_tags_distribution_course_id ON tags_distribution (course_id);
CREATE INDEX ix_tags_distribution_module_id ON tags_distribution (module_id);
CREATE INDEX ix_video_course_id_encoded_module_id ON video (course_id, encoded_module_id);
CREATE INDEX ix_video_timeline_pipeline_video_id ON video_timeline (pipeline_video_id);
CREATE INDEX ix_enrollment_reconciliation_course_id ON enrollment_reconciliation (course_id);
CREATE INDEX ix_enrollment_difference_course_id ON enrollment_difference (course_id);
COMMIT;
