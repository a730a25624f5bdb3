# frozen_string_literal: true

class Organization < ApplicationRecord
  belongs_to :account
  has_many :users, dependent: :nullify

  def presence_broadcasting
    "presence_org_#{id}"
  end
end
